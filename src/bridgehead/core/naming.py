"""Names for containers whose user gave none, and what a given name may look like."""

import re

from bridgehead.core.model.errors import InvalidParameter

_VALID = re.compile(r"/?[a-zA-Z0-9][a-zA-Z0-9_.-]+")
_QUALITIES = """
amber brisk calm candid clever cosy daring eager early fair fluent gentle glad golden happy hardy
honest humble keen kind lively lucid mellow merry mild modest neat noble patient plain polite proud
quick quiet ready rustic sharp silent simple sincere sober solid spry steady stoic sunny swift tidy
tranquil upbeat valiant vivid warm wise witty zesty
""".split()
_THINGS = """
abutment aqueduct arch beacon bollard brook buoy causeway channel crossing culvert current dock
drawbridge estuary ferry fjord footbridge ford gangway girder harbour hawser isthmus jetty keel
keystone lagoon ledge lighthouse lock mooring narrows parapet pier pontoon portage pylon quay
rampart ravine reef river rope shore span strait stream suspension terrace tide tower trestle truss
tunnel viaduct wharf
""".split()


def generated(number: int) -> str:
    """A readable name out of a large random number."""
    number, quality = divmod(number, len(_QUALITIES))
    number, thing = divmod(number, len(_THINGS))
    return f"{_QUALITIES[quality]}_{_THINGS[thing]}"


def checked(name: str) -> str:
    """The name without its leading slash.

    Raises:
        InvalidParameter: it has other characters, or is too short.
    """
    if not _VALID.fullmatch(name):
        raise InvalidParameter(f"Invalid container name ({name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed")
    return name.removeprefix("/")
