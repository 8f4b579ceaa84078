# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures drawn by the graphics card into memory, as contact sheets are drawn: the avatar's
own pictures and colours, softly shaded. No data-block is made, and no scene is drawn.
"""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import bpy
import gpu as _gpu
import numpy as np
from gpu_extras.batch import batch_for_shader
from numpy.typing import NDArray

from .picture_head import PictureHead
from .sheet_looks import LIGHT, OWN_SHADE, Look, look_of, surface

Floats = NDArray[np.float32]
gpu: Any = _gpu  # whose stubs know hardly what it returns

SIZE = 96  # pixels of a picture's side
FINE = 2  # times as fine it is drawn, for smooth edges
TEXTURE = 512  # pixels of a texture's side, as large as a picture can show
PAPER = (0.81, 0.834, 0.865, 1.0)  # sRGB: what is behind the head
LEAST = 0.02  # of opacity: what is drawn at all
GAMMA = 2.2

_VERTEX = """
void main() {
  gl_Position = vec4(place, 1.0);
  towards = normal;
  at = uv;
}
"""
# mode: 0 copies a texture, 1 draws what is opaque, 2 what is seen through, over it.
# how: premultiplied, seen from its front alone, mode. shade: away from the light, towards it; alpha
# 0 without, 1 as a cut-out, 2 as it is; whether there is a texture
_FRAGMENT = """
void main() {
  vec4 own = vec4(1.0);
  if (shade.w > 0.5) {
    own = texture(image, how.z < 0.5 ? at : fract(at));
    if (how.x > 0.5 && own.a > 0.0) own.rgb /= own.a;
  }
  if (how.z < 0.5) { seen = own; return; }
  if (how.y > 0.5 && !gl_FrontFacing) discard;
  float alpha = shade.z > 0.5 ? own.a : 1.0;
  if (how.z < 1.5 && alpha < 0.5) discard;
  if (how.z > 1.5 && (alpha >= 0.5 || alpha < LEAST || shade.z < 1.5)) discard;
  vec3 front = normalize(towards) * (gl_FrontFacing ? 1.0 : -1.0);
  float lit = clamp((dot(front, light.xyz) + 0.4) / 1.3, 0.0, 1.0);
  vec3 linear = max(colour.rgb * own.rgb * mix(shade.x, shade.y, lit), vec3(0.0));
  seen = vec4(pow(linear, vec3(1.0 / GAMMA)), how.z < 1.5 ? 1.0 : alpha);
}
"""


@dataclass(frozen=True)
class Surface:
    """What a material is drawn with. shade: how bright it is away from the light and towards it.
    texture: its picture, made small, or None; straight: whether its colours are as they are where
    it is seen through.
    """

    look: Look
    shade: tuple[float, float]
    texture: Any = None
    straight: bool = True


@dataclass(frozen=True)
class _Told:
    """Of a material, without what may be gone at the next step. picture: of its image, the name."""

    look: Look
    picture: str = ""
    texture: Any = None
    straight: bool = True


class Painter:
    """Draws one face. Everything that it holds on the graphics card goes with `free`."""

    def __init__(self, head: PictureHead) -> None:
        self._head = head
        self._shader: Any = _shader()
        self._textures: list[Any] = []
        self._groups: list[tuple[Surface, Any]] = []
        self._uv = head.uv.copy()
        self.digest = 0  # another number for other materials, once they are read

    def prepared(self) -> Generator[None, None, None]:
        """Read the materials, one at a step. A picture that is not in memory is read from its
        file.
        """
        slots = self._head.slots
        told: list[_Told] = []
        yield from _compile()
        yield
        for name in slots:
            loaded = {int(image.session_uid) for image in bpy.data.images if image.has_data}
            image = look_of(_material(name)).image
            fresh = image is not None and int(image.session_uid) not in loaded
            yield
            told.append(self._told(_material(name), fresh))
            yield
        self.digest = zlib.crc32(repr([(one.look, one.picture) for one in told]).encode())
        lost, there = sum(one.look.lost for one in told), sum(bool(one.picture) for one in told)
        for number, one in enumerate(told):
            own = self._head.triangles[self._head.slot == number]
            seen = _surface(one, number, _material(slots[number]), lost > there)
            if seen is None or not len(own):
                continue
            self._groups.append((seen, gpu.types.GPUIndexBuf(type="TRIS", seq=own)))
            if seen.texture is not None:
                corners = np.unique(own)
                scale, shift = np.array(seen.look.scale[:2]), np.array(seen.look.shift[:2])
                self._uv[corners] = self._head.uv[corners] * scale + shift

    def _told(self, material: bpy.types.Material | None, fresh: bool) -> _Told:
        """A material's look and texture. fresh: nobody else has asked for its picture."""
        look = look_of(material)
        image = look.image
        if image is None:
            return _Told(look)
        texture = self._small(image)
        self._textures.append(texture)
        if fresh:
            image.gl_free()
        straight = image.alpha_mode != "PREMUL" and not image.is_float
        return _Told(replace(look, image=None), image.name_full, texture, straight)

    def _small(self, image: bpy.types.Image) -> Any:
        """A texture of the graphics card's with the picture, no larger than TEXTURE."""
        width, height = (min(TEXTURE, max(int(side), 1)) for side in image.size)
        target = gpu.types.GPUOffScreen(width, height, format="RGBA16F")
        corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], np.float32)
        content: Any = {"place": corners, "normal": corners, "uv": (corners[:, :2] + 1) / 2}
        batch = batch_for_shader(self._shader, "TRIS", content, indices=[(0, 1, 2), (0, 2, 3)])
        with target.bind():
            gpu.state.depth_test_set("NONE")
            gpu.state.blend_set("NONE")
            self._shader.bind()
            self._shader.uniform_sampler("image", gpu.texture.from_image(image))
            self._shader.uniform_float("shade", (1.0, 1.0, 0.0, 1.0))
            self._shader.uniform_float("how", (0.0, 0.0, 0.0, 0.0))
            batch.draw(self._shader)
        return target

    def paint(self, points: Floats) -> Floats:
        """The picture of a pose, float32 (SIZE,SIZE,4), sRGB, from below. points: float32 (V,3), as
        `PictureHead.posed` gives them.
        """
        head, side = self._head, SIZE * FINE
        scale = np.array([2 / head.side, 2 / head.side, 0.5 / head.depth], np.float32)
        place = (points[:, [0, 2, 1]] * scale)[head.corners]
        normals = head.normals(points)[head.corners]
        form = gpu.types.GPUVertFormat()
        for name, length in (("place", 3), ("normal", 3), ("uv", 2)):
            form.attr_add(id=name, comp_type="F32", len=length, fetch_mode="FLOAT")
        vertices = gpu.types.GPUVertBuf(form, len(head.corners))
        for name, values in (("place", place), ("normal", normals), ("uv", self._uv)):
            vertices.attr_fill(name, np.ascontiguousarray(values, np.float32))
        target = gpu.types.GPUOffScreen(side, side)
        try:
            with target.bind():
                frame: Any = gpu.state.active_framebuffer_get()
                frame.clear(color=PAPER, depth=1.0)
                self._draw(vertices)
                found = frame.read_color(0, 0, side, side, 4, 0, "UBYTE")
        finally:
            target.free()
        found.dimensions = side * side * 4
        pixels = np.array(found, np.float32).reshape(SIZE, FINE, SIZE, FINE, 4)
        picture = np.asarray(pixels.mean(axis=(1, 3)) / 255, np.float32)
        picture[..., 3] = 1
        return picture

    def _draw(self, vertices: Any) -> None:
        """All groups: what is opaque, then what is seen through."""
        shader, light = self._shader, np.array(LIGHT) / np.linalg.norm(LIGHT)
        for mode in (1, 2):
            with _state_of(mode):
                for one, indices in self._groups:
                    if mode == 2 and (one.texture is None or one.look.blend != "BLEND"):
                        continue
                    alpha = {"OPAQUE": 0.0, "CLIP": 1.0, "BLEND": 2.0}[one.look.blend]
                    shader.bind()
                    shader.uniform_float("colour", (*(one.look.colour or (1, 1, 1)), 1.0))
                    shader.uniform_float("light", (*light, 0.0))
                    shown = float(one.texture is not None)
                    shader.uniform_float("shade", (*one.shade, alpha * shown, shown))
                    how = (float(not one.straight), float(one.look.culled), float(mode), 0.0)
                    shader.uniform_float("how", how)
                    texture = _blank() if one.texture is None else one.texture.texture_color
                    shader.uniform_sampler("image", texture)
                    batch = gpu.types.GPUBatch(type="TRIS", buf=vertices, elem=indices)
                    batch.draw(shader)

    def free(self) -> None:
        """Give back what it holds."""
        for texture in self._textures:
            texture.free()
        self._textures, self._groups = [], []


def _material(name: str) -> bpy.types.Material | None:
    return bpy.data.materials.get(name) if name else None


def _surface(
    told: _Told, number: int, material: bpy.types.Material | None, lost: bool
) -> Surface | None:
    """What a slot is drawn with, None for nothing. lost: most pictures are, and all is clay."""
    if told.texture is not None and not lost:
        return Surface(told.look, OWN_SHADE, told.texture, told.straight)
    seen = surface(Look() if lost else told.look, number, material)
    return None if seen is None else Surface(*seen)


# the shader, the blank texture and the modes that are ready, which no face needs for itself
_made: dict[str | int, Any] = {}


def forget() -> None:
    """Give back what all share."""
    _made.clear()


def _blank() -> Any:
    if "blank" not in _made:
        white: Any = gpu.types.Buffer("FLOAT", 4, [1.0] * 4)
        _made["blank"] = gpu.types.GPUTexture((1, 1), format="RGBA16F", data=white)
    return _made["blank"]


def _compile() -> Generator[None, None, None]:
    """Have the driver make the shader ready, which it does when something is drawn: for textures
    that are copied, for what is opaque and for what is seen through, one at a step.
    """
    shader = _shader()
    content: Any = {name: [(0, 0, 0)] * 3 for name in ("place", "normal")} | {"uv": [(0, 0)] * 3}
    for mode in (0, 1, 2):
        if mode in _made:
            continue
        yield
        target = gpu.types.GPUOffScreen(1, 1)
        try:
            with target.bind(), _state_of(mode):
                shader.bind()
                shader.uniform_sampler("image", _blank())
                batch_for_shader(shader, "TRIS", content).draw(shader)
        finally:
            target.free()
        _made[mode] = True


@contextlib.contextmanager
def _state_of(mode: int) -> Generator[None, None, None]:
    """The graphics card's state for drawing in a mode, see _FRAGMENT; afterwards Blender's own."""
    gpu.state.depth_test_set("LESS_EQUAL" if mode else "NONE")
    gpu.state.depth_mask_set(mode < 2)
    gpu.state.blend_set("ALPHA" if mode == 2 else "NONE")
    try:
        yield
    finally:
        gpu.state.depth_mask_set(True)
        gpu.state.depth_test_set("NONE")
        gpu.state.blend_set("NONE")


def _shader() -> Any:
    if "shader" not in _made:
        between: Any = gpu.types.GPUStageInterfaceInfo("blendshapes_picture")
        between.smooth("VEC3", "towards")
        between.smooth("VEC2", "at")
        info: Any = gpu.types.GPUShaderCreateInfo()
        for number, (kind, name) in enumerate(
            (("VEC3", "place"), ("VEC3", "normal"), ("VEC2", "uv"))
        ):
            info.vertex_in(number, kind, name)
        info.vertex_out(between)
        for name in ("colour", "light", "shade", "how"):
            info.push_constant("VEC4", name)
        info.sampler(0, "FLOAT_2D", "image")
        info.fragment_out(0, "VEC4", "seen")
        info.define("LEAST", str(LEAST))
        info.define("GAMMA", str(GAMMA))
        info.vertex_source(_VERTEX)
        info.fragment_source(_FRAGMENT)
        _made["shader"] = gpu.shader.create_from_info(info)
    return _made["shader"]
