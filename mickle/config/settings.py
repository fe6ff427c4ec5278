"""Settings of an instance, each an environment variable; docs/reference/settings.md has all."""

from typing import Any
from urllib.parse import quote

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from mickle.config import _environment as env

DATA_DIR = env.data_dir()
SECRET_KEY = env.secret_key(DATA_DIR)
SECRET_KEY_FALLBACKS = env.words("OLD_SECRET_KEYS")
DEBUG = False
BASE_URL = env.origin("BASE_URL")
# Where buttons, counts and scripts are served; empty: at the pages' own origin.
BUTTON_ORIGIN = env.origin("BUTTON_ORIGIN")
# The dispatcher checks the Host header against this list; the address itself decides nothing.
ALLOWED_HOSTS = [
    *(env.hosts("HOSTS") or ["localhost", "127.0.0.1", "[::1]"]),
    *env.hosts_of(BASE_URL, BUTTON_ORIGIN),
]
CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if "." in host]

# --- money and policies -------------------------------------------------------------------------
CURRENCY = env.currency("CURRENCY", "EUR")
# No more than the books keep.
CURRENCY_DECIMALS = env.number("CURRENCY_DECIMALS", {"JPY": 0, "KWD": 3}.get(CURRENCY, 2), most=6)
BUDGET_MIN_MICROS = env.amount("BUDGET_MIN", "2", CURRENCY_DECIMALS)
BUDGET_MAX_MICROS = env.amount("BUDGET_MAX", "100", CURRENCY_DECIMALS)
BUDGET_DEFAULT_MICROS = env.amount("BUDGET_DEFAULT", "5", CURRENCY_DECIMALS)
env.in_order(
    ("BUDGET_MIN", BUDGET_MIN_MICROS),
    ("BUDGET_DEFAULT", BUDGET_DEFAULT_MICROS),
    ("BUDGET_MAX", BUDGET_MAX_MICROS),
)
FUNDS_MAX_MICROS = env.amount("FUNDS_MAX", "600", CURRENCY_DECIMALS)
FEE_BASIS_POINTS = env.number("FEE_BASIS_POINTS", 1000, most=10_000)
PAYOUT_MIN_MICROS = env.amount("PAYOUT_MIN", "10", CURRENCY_DECIMALS)
PAYOUT_COST_MICROS = env.amount("PAYOUT_COST", "0", CURRENCY_DECIMALS)
# A member's first payout above this waits until the public had its time to object.
NOTICE_ABOVE_MICROS = env.amount("NOTICE_ABOVE", "50", CURRENCY_DECIMALS)
# The way out for addresses that strangers name.
FETCH = env.choice("FETCH", "on", ("on", "off")) == "on"
# Whether registries are asked since when a domain that somebody shows is theirs.
RDAP = env.choice("RDAP", "on", ("on", "off")) == "on"
# Whether makers who never asked are written to, once a year; whoever runs it says so.
WRITE_TO_MAKERS = env.choice("WRITE_TO_MAKERS", "off", ("on", "off")) == "on"
RECEIVE_POLICY = env.choice("RECEIVE", "funded", ("funded", "open"))
RECEIVE_MIN_MICROS = env.amount("RECEIVE_MIN", "2", CURRENCY_DECIMALS)
IDLE_POLICY = env.choice("IDLE", "charity", ("charity", "keep"))
# Whether members top up before they give, or are charged after each month.
MODE = env.choice("MODE", "prepaid", ("prepaid", "arrears"))
CHARGE_MIN_MICROS = env.amount("CHARGE_MIN", "2", CURRENCY_DECIMALS)
CHARGE_TRIES = env.number("CHARGE_TRIES", 3)
CHARGE_DAYS = env.number("CHARGE_DAYS", 7, most=36_500)
GRACE_HOURS = env.number("GRACE_HOURS", 72, most=1_000_000)
# Which engine computes a month; settlement has one for each name but “auto”, in this order.
ENGINES = ("auto", "database", "duckdb", "spark")
ENGINE = env.choice("ENGINE", "auto", ENGINES)
# Where settled months are archived: a folder or an object store; empty: nowhere.
ARCHIVE = env.folder("ARCHIVE")
# How many months after it a month's nods are in its archive alone; 0: never.
NODS_LEAVE_AFTER = env.number("NODS_LEAVE_AFTER", 0, least=12)
# The address of Spark, and where it and this machine both find files; empty: in the data folder.
SPARK = env.text("SPARK", "local[*]")
SPARK_FILES = env.folder("SPARK_FILES")
SIGN_UP = env.choice("SIGN_UP", "open", ("open", "invite"))

# --- who runs this instance ---------------------------------------------------------------------
INSTANCE_NAME = env.text("INSTANCE_NAME", "Mickle")
OPERATOR_NAME = env.text("OPERATOR_NAME")
OPERATOR_ADDRESS = env.text("OPERATOR_ADDRESS")
OPERATOR_EMAIL = env.text("OPERATOR_EMAIL")
BANK_NAME = env.text("BANK_NAME")
BANK_IBAN = env.iban("BANK_IBAN")
BANK_BIC = env.bic("BANK_BIC")
PASS_NODS_A_DAY = env.number("PASS_NODS_A_DAY", 200)
EDGE_REQUESTS_A_SECOND = env.number("EDGE_REQUESTS_A_SECOND", 100)
EDGE_BURST = env.number("EDGE_BURST", 1000)
API_REQUESTS_AN_HOUR = env.number("API_REQUESTS_AN_HOUR", 1000)
LIVE_STREAMS_AN_ADDRESS = env.number("LIVE_STREAMS_AN_ADDRESS", 50)
# The licence asks for it: where people who use this instance find the source it runs.
SOURCE_URL = env.text("SOURCE_URL")
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
# How pages of others are fetched: by a proxy, and who says where hosts are; empty: the system's.
FETCH_PROXY = env.proxy(env.text("FETCH_PROXY"))
FETCH_RESOLVERS = env.places(env.words("FETCH_RESOLVERS"))
# What this instance is known by where members sign in to show an account; by host.
GITHUB_APPS = env.apps("GITHUB", [one] if (one := env.text("GITHUB")) else [], "github.com")
GITLAB_APPS = env.apps("GITLAB", env.words("GITLAB"), "gitlab.com")

# --- rooms --------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    # Before allauth, so that its pages are in the look.
    "mickle.web",
    "allauth",
    "allauth.account",
    "django_tasks_db",
    "mickle.instance",
    "mickle.jobs",
    "mickle.ledger",
    "mickle.members",
    "mickle.things",
    "mickle.teams",
    "mickle.nods",
    "mickle.claims",
    "mickle.passes",
    "mickle.programs",
    "mickle.payins",
    "mickle.settlement",
    "mickle.payouts",
    "mickle.closing",
    "mickle.notices",
    "mickle.discovery",
    "mickle.edge",
    "mickle.ops",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # Before everything that reads a cookie: nothing under /api is ever asked for by one.
    "mickle.api.api.Calls",
    "mickle.web.headers.SecurityHeaders",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "mickle.config.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "mickle.web.context.page",
            ],
        },
    },
]

# --- database -----------------------------------------------------------------------------------
_SQLITE = f"sqlite:///{quote(str(DATA_DIR / 'mickle.sqlite3'))}"


def _database() -> dict[str, Any]:
    found = env.database(_SQLITE)
    if found["ENGINE"].endswith("sqlite3"):
        found["ENGINE"] = "mickle.lib.sqlite3"
        found["OPTIONS"] = {
            # Without IMMEDIATE most concurrent writes fail; FULL survives a power cut.
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        }
    elif found["ENGINE"].endswith("postgresql"):
        found["ENGINE"] = "mickle.lib.postgresql"
        found["CONN_MAX_AGE"] = 60
        found["CONN_HEALTH_CHECKS"] = True
    else:
        raise ImproperlyConfigured("DATABASE_URL names neither SQLite nor PostgreSQL.")
    return found


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
# What the clock makes due stands in a queue in the same database.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend", "QUEUES": ["default"]}}

# --- language and time --------------------------------------------------------------------------
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German"))]

# --- files --------------------------------------------------------------------------------------
STATIC_URL = "/static/"
# Served from the package itself, so that a wheel needs no collectstatic.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

# --- sign-in ------------------------------------------------------------------------------------
AUTH_USER_MODEL = "members.Member"
# The address is unique whatever its case, by a constraint that this check does not know.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard"
LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "mickle.web.accounts.Adapter"
ACCOUNT_FORMS = {
    "login": "mickle.web.accounts.SignInForm",
    "signup": "mickle.web.accounts.SignUpForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = "username"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
# As the library limits them, and no address more in an hour: whoever asks need not be who is there.
ACCOUNT_RATE_LIMITS = {
    "request_login_code": "20/m/ip,3/m/key,20/h/key",
    "confirm_email": "1/10s/key,20/h/key",
}

# --- mail: files under the data folder unless SMTP is set ---------------------------------------
DEFAULT_FROM_EMAIL = env.text("MAIL_FROM", "mickle@localhost")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Reminders and statements; codes to sign in with are sent at once, whatever else waits.
MAILS_A_MINUTE = env.number("MAILS_A_MINUTE", 60)
EMAIL_HOST = env.text("SMTP_HOST")
EMAIL_PORT = env.number("SMTP_PORT", 587, most=65_535)
EMAIL_HOST_USER = env.text("SMTP_USER")
EMAIL_HOST_PASSWORD = env.text("SMTP_PASSWORD")
_SMTP_TLS = env.choice("SMTP_TLS", "starttls", ("starttls", "ssl", "none"))
EMAIL_USE_TLS = _SMTP_TLS == "starttls"
EMAIL_USE_SSL = _SMTP_TLS == "ssl"
EMAIL_TIMEOUT = 20
EMAIL_FILE_PATH = DATA_DIR / "mail"
EMAIL_BACKEND = (
    "mickle.notices.smtp.EmailBackend"
    if EMAIL_HOST
    else "django.core.mail.backends.filebased.EmailBackend"
)

# --- cookies and transport: kept and sent on loopback without TLS, elsewhere TLS is needed -------
SESSION_COOKIE_NAME = "__Host-mickle"
CSRF_COOKIE_NAME = "__Host-mickle-csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
LANGUAGE_COOKIE_SECURE = LANGUAGE_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "mickle.web.errors.form_refused"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if BASE_URL.startswith("https://") else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
X_FRAME_OPTIONS = "DENY"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    # Whatever was asked, no line of it holds a token.
    "formatters": {
        "line": {
            "()": "mickle.config._lines.Line",
            "format": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    # A job that fails has said so in a line of its own; the queue would add a traceback.
    "loggers": {"mickle": {"level": "INFO"}, "django_tasks": {"level": "CRITICAL"}},
}

env.no_other()
