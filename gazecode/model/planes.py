"""What coordinates are, and what to do where they are not the screen's pixels."""

from gazecode.errors import GeometryError

__all__ = ["PLANES", "require_screen_px"]

PLANES = ("screen_px", "screen_fraction", "scene_px", "scene_fraction", "href")

_CAMERA = (
    "it is the picture of a head-mounted camera: map it to a surface in the tracker's own "
    "software (marker mapper, snapshot mapping) and read that export"
)
_ADVICE = {
    "screen_fraction": "name the screen's size: read(path, screen=...), --screen W,H, "
    "or [screen] of a study",
    "scene_px": _CAMERA,
    "scene_fraction": _CAMERA,
    "href": "HREF are angles of the eye in its head; convert the recording again with gaze in px",
}


def require_screen_px(plane: str, what: str) -> None:
    """Refuse gaze that is not in px of a screen, with what to do about it.

    Parameters
    ----------
    plane
        As `Recording.plane` has it.
    what
        What asks for it, for the message.

    Raises
    ------
    GeometryError
        For every plane but ``screen_px``.

    Examples
    --------
    >>> require_screen_px("screen_px", "events")
    >>> require_screen_px("href", "events")
    Traceback (most recent call last):
    gazecode.errors.GeometryError: gaze lies in the plane href, events need screen_px; HREF are \
angles of the eye in its head; convert the recording again with gaze in px
    """
    if plane != "screen_px":
        raise GeometryError(
            f"gaze lies in the plane {plane}, {what} need screen_px; {_ADVICE[plane]}"
        )
