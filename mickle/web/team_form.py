"""The form of a team: as many rows of a name and a percent as somebody sends."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _

from mickle.lib.errors import Refused
from mickle.members.models import Member
from mickle.teams import teams
from mickle.web.forms import RefusableForm


class TeamForm(RefusableForm):
    """Who has which part of a team: names and percents, row by row."""

    refusals: ClassVar[dict[type[Refused], str]] = {teams.BadName: "name"}

    name = forms.CharField(
        label=_("What is the team called?"), max_length=200, help_text=_("Its members see it.")
    )

    def __init__(self, *args: Any, rows: int, named: bool, **more: Any) -> None:
        """With `rows` rows, or as many as were sent; the name only where it is new."""
        super().__init__(*args, **more)
        if not named:
            del self.fields["name"]
        sent = sum(1 for key in self.data if key.startswith("who_"))
        self.rows = min(max(rows, sent), teams.PARTIES_AT_MOST)
        self.found: dict[Member, int] = {}
        for place in range(self.rows):
            number = {"number": place + 1}
            self.fields[f"who_{place}"] = forms.CharField(
                label=_("Name %(number)s") % number, max_length=60, required=False
            )
            self.fields[f"percent_{place}"] = forms.IntegerField(
                label=_("Percent %(number)s") % number, required=False
            )

    @property
    def pairs(self) -> list[tuple[forms.BoundField, forms.BoundField]]:
        """The two fields of each row."""
        return [(self[f"who_{one}"], self[f"percent_{one}"]) for one in range(self.rows)]

    def clean(self) -> None:
        """Find everybody by their name; an empty row is none."""
        for place in range(self.rows):
            who = (self.cleaned_data.get(f"who_{place}") or "").strip()
            percent = self.cleaned_data.get(f"percent_{place}")
            if not who and percent is None:
                continue
            try:
                party = teams.party(who)
            except Refused as refused:
                self.add_error(f"who_{place}", str(refused))
                continue
            if party in self.found:
                self.add_error(f"who_{place}", _("This name stands here twice."))
            self.found[party] = percent or 0

    def percents(self) -> dict[Member, int]:
        """The parts by whose they are."""
        return self.found
