"""One field's values side by side: pictures or sounds of one record, drawn to one width on a common scale."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pipeline.preview import drawing
from pipeline.preview.bound_labels import Names
from pipeline.preview.drawing import BODY, LINE, SMALL
from pipeline.preview.drawn_labels import counted, with_labels
from pipeline.preview.label_colours import Colours, colours_of
from pipeline.preview.segment_bars import above, segment_bars
from pipeline.preview.spectrogram import Scale, coloured, envelope, mono, scale_of, seconds_of, spectrogram
from pipeline.records import Refusal
from transforms.values import AudioValue, Boxes, ImageValue, Keypoints, VideoValue, VolumeValue

WIDTH = 224
Panel = tuple[Image.Image, str]

_TALLEST = 224
_LOWEST = 48
_MAX_ENLARGEMENT = 8
_WAVE, _SPECTRUM, _SEAM = 64, 96, 2
_FRAME_WIDTH = (WIDTH - 2 * _SEAM) // 3
_WAVE_INK = (58, 110, 190)
PAD = 10


def picture_panels(
    values: Sequence[ImageValue], names: Sequence[Names] = (), colours: Colours | None = None
) -> list[Panel]:
    """Pictures centred on checkerboards of one height, with labels and sizes; small ones enlarged in whole steps."""
    fitted = [_fitted(value) for value in values]
    height = max(_LOWEST, *(f.height for f in fitted))
    colours = colours_of(names) if colours is None else colours
    panels = []
    for number, (value, picture) in enumerate(zip(values, fitted, strict=True)):
        ground = drawing.checkerboard(WIDTH, height)
        left, top = (WIDTH - picture.width) // 2, (height - picture.height) // 2
        ground.paste(picture, (left, top), picture if picture.mode == "RGBA" else None)
        rows, columns = value.pixels.shape[:2]
        called = names[number] if names else {}
        ground = with_labels(ground, value, called, colours, (left, top, picture.width / columns))
        panels.append((ground, f"{columns} × {rows}{counted(value)}"))
    return panels


def volume_panels(
    values: Sequence[VolumeValue], names: Sequence[Names] = (), colours: Colours | None = None
) -> list[Panel]:
    """The middle slices, on the grey scale of the first volume, with labels, and sizes as depth, height, width."""
    panels = picture_panels([_slice(value, values[0].window) for value in values], names, colours)
    sizes = [" × ".join(map(str, value.voxels.shape[:3])) for value in values]
    return [
        (panel, f"slice {len(v.voxels) // 2} of {s}{counted(v)}")
        for (panel, _), v, s in zip(panels, values, sizes, strict=True)
    ]


def _slice(value: VolumeValue, window: tuple[float, float]) -> ImageValue:
    """The middle slice with its masks, and the points that lie in it."""
    middle = len(value.voxels) // 2
    picture = ImageValue(_middle(value, window))
    if value.masks is not None:
        picture = replace(picture, masks=value.masks[:, middle])
    if value.keypoints is not None:
        near = np.abs(value.keypoints.points[:, 2] - middle) <= 1
        picture = replace(picture, keypoints=Keypoints(value.keypoints.points[near], value.keypoints.rows[near]))
    return picture


def _middle(value: VolumeValue, window: tuple[float, float]) -> NDArray[np.uint8]:
    """One slice as a picture; of channels that are no colours the first."""
    picture = value.voxels[len(value.voxels) // 2]
    picture = picture if picture.shape[2] in (1, 3, 4) else picture[..., :1]
    if picture.dtype == np.uint8:
        return np.ascontiguousarray(picture)
    low, high = window
    shares = (picture.astype(np.float64) - low) / (high - low or 1.0)
    levels: NDArray[np.uint8] = np.rint(np.clip(shares, 0, 1) * 255).astype(np.uint8)
    return levels


def sound_panels(
    values: Sequence[AudioValue], names: Sequence[Names] = (), colours: Colours | None = None
) -> list[Panel]:
    """Waveforms over spectrograms, with durations and rates; one scale of time, loudness and pitch for all.

    Segments are bars above, and lines through both.
    """
    scale = scale_of(list(values))
    widths = [max(1, round(WIDTH * seconds_of(v) / scale.seconds)) for v in values]
    shape = [(mono(v), v.sample_rate, w) for v, w in zip(values, widths, strict=True)]
    levels = [spectrogram(samples, rate, (width, _SPECTRUM), scale.top_hz) for samples, rate, width in shape]
    loudest = max(float(level.max()) for level in levels)
    panels = []
    for value, width, level in zip(values, widths, levels, strict=True):
        panel = Image.new("RGB", (WIDTH, _WAVE + _SEAM + _SPECTRUM), drawing.WELL)
        _draw_wave(panel, value, width, scale)
        panel.paste(Image.fromarray(coloured(level, loudest)), (0, _WAVE + _SEAM))
        panels.append((panel, f"{_sound_text(value)}{counted(value)}"))
    return _with_segments(panels, values, (names, colours), WIDTH / scale.seconds)


def _with_segments(
    panels: list[Panel],
    values: Sequence[AudioValue | VideoValue],
    named: tuple[Sequence[Names], Colours | None],
    scale: float,
) -> list[Panel]:
    """Panels with the segments of their values on the same scale of pixels per second; as they are without any."""
    bounds = [np.zeros((0, 2)) if v.segments is None else v.segments.bounds * scale for v in values]
    if all(v.segments is None for v in values):
        return panels
    names, colours = named
    colours = colours_of(names) if colours is None else colours
    called = [cell.get("segments", ()) for cell in names] or [()] * len(values)
    bars = segment_bars(bounds, called, colours, WIDTH)
    lines = isinstance(values[0], AudioValue)
    return [
        (above(bar, panel, found, lines), told) for bar, (panel, told), found in zip(bars, panels, bounds, strict=True)
    ]


def clip_panels(
    values: Sequence[VideoValue], names: Sequence[Names] = (), colours: Colours | None = None
) -> list[Panel]:
    """Three frames of each clip in a row, its first, middle and last, with labels, size, rate and duration."""
    colours = colours_of(names) if colours is None else colours
    called = names or [{}] * len(values)
    strips = [
        [_frame(value, n, cell, colours) for n in _shown_frames(len(value.frames))]
        for value, cell in zip(values, called, strict=True)
    ]
    height = max(_LOWEST, *(frame.height for strip in strips for frame in strip))
    panels = []
    for value, strip in zip(values, strips, strict=True):
        panel = Image.new("RGB", (WIDTH, height), drawing.WELL)
        for number, frame in enumerate(strip):
            panel.paste(frame, (number * (_FRAME_WIDTH + _SEAM), (height - frame.height) // 2))
        panels.append((panel, f"{_clip_text(value)}{counted(value)}"))
    longest = max(float(len(value.frames) / value.rate) for value in values)
    return _with_segments(panels, values, (names, colours), WIDTH / longest)


def _frame(value: VideoValue, number: int, names: Names, colours: Colours) -> Image.Image:
    """One frame with its boxes."""
    pixels = np.ascontiguousarray(value.frames[number])
    thumbnail = _thumbnail(pixels)
    boxes = value.boxes
    if boxes is None or boxes.frames is None:
        return thumbnail
    mine = np.flatnonzero(boxes.frames == number)
    called = names.get("boxes", ())
    own = {"boxes": tuple(called[n] for n in mine.tolist() if n < len(called))}
    picture = ImageValue(pixels, Boxes(boxes.corners[mine], boxes.rows[mine]))
    return with_labels(thumbnail, picture, own, colours, (0, 0, thumbnail.width / pixels.shape[1]))


def _shown_frames(count: int) -> tuple[int, ...]:
    return tuple(sorted({0, count // 2, count - 1}))


def _thumbnail(pixels: NDArray[np.uint8]) -> Image.Image:
    """A frame as wide as a third of a panel, or as tall as a panel may be."""
    picture = Image.fromarray(np.ascontiguousarray(pixels))
    scale = min(_FRAME_WIDTH / picture.width, _TALLEST / picture.height)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.NEAREST)


def _clip_text(value: VideoValue) -> str:
    count, height, width = value.frames.shape[:3]
    sound = " · sound" if value.audio is not None else ""
    return f"{width} × {height} · {count} frames · {float(value.rate):.4g}/s{sound}"


def refusal_panel(refusal: Refusal, height: int) -> Image.Image:
    """Why there is no copy to show."""
    ground, border, ink = drawing.REFUSED[refusal.kind]
    message = drawing.wrapped(refusal.message or refusal.error, SMALL, WIDTH - 2 * PAD, 8)
    where = " · ".join(part for part in (refusal.field, refusal.stage) if part)
    needed = 2 * PAD + LINE[BODY] + LINE[SMALL] * (len(message) + 1) + 4
    panel = Image.new("RGB", (WIDTH, max(height, needed)), ground)
    draw = ImageDraw.Draw(panel)
    draw.rectangle((0, 0, panel.width - 1, panel.height - 1), outline=border)
    room = WIDTH - 2 * PAD
    drawing.draw_line(draw, (PAD, PAD), drawing.shortened(f"{refusal.kind}: {refusal.reason}", BODY, room), BODY, ink)
    y = PAD + LINE[BODY]
    drawing.draw_line(draw, (PAD, y), drawing.shortened(where, SMALL, room), SMALL, drawing.MUTED)
    for number, line in enumerate(message, 1):
        drawing.draw_line(draw, (PAD, y + number * LINE[SMALL] + 4), line, SMALL)
    return panel


def _fitted(value: ImageValue) -> Image.Image:
    pixels = value.pixels
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    longest = max(picture.width / WIDTH, picture.height / _TALLEST)
    if longest > 1:
        size = max(1, round(picture.width / longest)), max(1, round(picture.height / longest))
        return picture.resize(size, Image.Resampling.LANCZOS)
    factor = min(_MAX_ENLARGEMENT, int(1 / longest))
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)


def _draw_wave(panel: Image.Image, value: AudioValue, width: int, scale: Scale) -> None:
    low, high = envelope(mono(value), width)
    middle, reach = (_WAVE - 1) / 2, (_WAVE - 6) / 2
    tops = np.rint(middle - high / scale.peak * reach).astype(int)
    bottoms = np.rint(middle - low / scale.peak * reach).astype(int)
    rows = np.arange(_WAVE)[:, None]
    pixels = np.array(panel)
    pixels[:_WAVE, :width][(rows >= np.minimum(tops, bottoms)) & (rows <= np.maximum(tops, bottoms))] = _WAVE_INK
    panel.paste(Image.fromarray(pixels))


def _sound_text(value: AudioValue) -> str:
    channels = value.samples.shape[0]
    named = {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")
    return f"{seconds_of(value):.2f} s · {value.sample_rate / 1000:g} kHz · {named}"
