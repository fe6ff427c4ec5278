"""Passwords of tests are hashed as those of people, and no million times."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class OneRound(PBKDF2PasswordHasher):
    """A good one takes half a second on purpose."""

    iterations = 1
