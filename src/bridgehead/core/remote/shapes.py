"""What all questions and all answers have in common, whichever kind of driver they are for.

Texts stay texts in the fields, so that what is written is what was said; properties give the model's types.
An answer cannot be made with a text its properties could not read: that is a ValueError, and from the wire a
`msgspec.ValidationError` that tells the place.
"""

from msgspec import Struct

from bridgehead.core.remote.words import wire_name


class Request(Struct, frozen=True, kw_only=True, rename=wire_name):
    """Every field is written, also an empty one."""


class Answer(Struct, frozen=True, kw_only=True, rename=wire_name, omit_defaults=True):
    def __post_init__(self) -> None:
        self.check()

    def check(self) -> None:
        """
        Raises:
            ValueError: a text does not mean what its field is for.
        """

    def check_against(self, request: Struct | None) -> None:
        """
        Raises:
            ValueError: it does not answer this question.
        """


class Part(Struct, frozen=True, kw_only=True, rename=wire_name, omit_defaults=True):
    """A piece of a question or an answer; what is empty in it is left out."""


class Nothing(Answer, frozen=True, kw_only=True):
    """The answer where there is nothing to tell."""


class Implements(Answer, frozen=True, kw_only=True):
    """To `Plugin.Activate`, which carries no body."""

    implements: tuple[str, ...] = ()
