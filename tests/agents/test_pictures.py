"""Pictures that name who sends them."""

import asyncio

import pytest
from av import VideoFrame

from agents.pictures import CAMERA, SCREEN, Format, Pictures, name_in


def _pictures(name: str, format_: Format, count: int) -> list[VideoFrame]:
    async def taken() -> list[VideoFrame]:
        track = Pictures(name, format_._replace(per_second=1000))
        return [await track.recv() for _ in range(count)]

    return asyncio.run(taken())


@pytest.mark.parametrize("format_", [CAMERA, SCREEN])
@pytest.mark.parametrize("name", ["eve", "a", "vpn_user_1", "zzzzzzzzzzzz"])
def test_a_picture_tells_its_sender_at_any_time(name: str, format_: Format) -> None:
    pictures = _pictures(name, format_, 20)
    assert {name_in(picture) for picture in pictures} == {name}


def test_a_grey_picture_names_nobody() -> None:
    (picture,) = _pictures("eve", CAMERA, 1)
    picture.planes[0].update(bytes([128]) * picture.planes[0].buffer_size)
    assert name_in(picture) == ""


def test_pictures_move() -> None:
    first, second = _pictures("eve", CAMERA, 2)
    assert bytes(first.planes[0]) != bytes(second.planes[0])
    assert (first.width, first.height) == (320, 240)


def test_pictures_come_at_the_rate_of_their_format() -> None:
    async def stamps() -> list[int | None]:
        track = Pictures("eve", Format(64, 16, 900))
        return [(await track.recv()).pts for _ in range(3)]

    assert asyncio.run(stamps()) == [0, 100, 200]


def test_a_name_must_fit() -> None:
    with pytest.raises(ValueError, match="somebody_else has more than 12 letters"):
        Pictures("somebody_else", CAMERA)
