# SPDX-License-Identifier: GPL-3.0-or-later
"""BlendShape Auto-Generator: entry point of the Blender extension. Imports bpy only when Blender
calls register.
"""


def register() -> None:
    """Called by Blender when the extension is enabled."""
    from .blendshape_addon import registration

    registration.register()


def unregister() -> None:
    """Called by Blender when the extension is disabled, replaced or Blender quits."""
    from .blendshape_addon import registration

    registration.unregister()
