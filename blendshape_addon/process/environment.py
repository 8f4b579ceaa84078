# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process that we start gets of our environment: what is named here, and nothing else.
Imports only the stdlib.

A list of what is kept out would always lack a name. What systems, graphics drivers and the
libraries that compute need is known.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

# LD_LIBRARY_PATH, since many installs of CUDA and OpenVINO are found by nothing else;
# COVERAGE_PROCESS_CONFIG for the project's own tests.
_SYSTEM = """
    PATH HOME USER LOGNAME SHELL LANG LANGUAGE TZ TMPDIR TEMP TMP
    SYSTEMROOT WINDIR SYSTEMDRIVE COMSPEC PATHEXT OS
    USERPROFILE USERNAME HOMEDRIVE HOMEPATH PUBLIC APPDATA LOCALAPPDATA PROGRAMDATA ALLUSERSPROFILE
    PROGRAMFILES PROGRAMFILES(X86) PROGRAMW6432 COMMONPROGRAMFILES COMMONPROGRAMFILES(X86)
    COMMONPROGRAMW6432
    NUMBER_OF_PROCESSORS DRIVERDATA
    XDG_CONFIG_HOME XDG_CACHE_HOME XDG_DATA_HOME XDG_DATA_DIRS XDG_CONFIG_DIRS XDG_RUNTIME_DIR
    LD_LIBRARY_PATH INTEL_OPENVINO_DIR DRI_PRIME SSL_CERT_FILE SSL_CERT_DIR __CF_USER_TEXT_ENCODING
    COVERAGE_PROCESS_CONFIG
"""

# Of the locale, the processor, and what computes: CUDA, TensorRT, ROCm, Level Zero, OpenVINO, ONNX
# Runtime, BLAS, Vulkan, Mesa; and our own.
_FAMILIES = (
    "LC_ PROCESSOR_ CUDA_ CUDNN_ CUBLAS_ NVIDIA_ TRT_ TENSORRT_ HIP_ ROCM_ ROCR_ HSA_ AMD_ ZE_"
    " ONEAPI_ SYCL_ NEO_ OV_ OPENVINO_ ORT_ ONNXRUNTIME_ OMP_ GOMP_ KMP_ MKL_ OPENBLAS_ VECLIB_ VK_"
    " MESA_ LIBGL_ __GLX_ __NV_ __EGL_ DXCORE_ QNN_ BLENDSHAPE_"
)
SYSTEM, FAMILIES = frozenset(_SYSTEM.split()), tuple(_FAMILIES.split())

# What only some need, on top: a second Blender, and what downloads. A proxy's address may hold a
# password, so nothing else gets it.
BLENDER = ("BLENDER_*", "OCIO", "CYCLES_*", "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY")
DOWNLOADS = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)

_PRIVATE = re.compile(
    "KEY|TOKEN|SECRET|PASS(?!IVE)|PWD|CREDENTIAL|COOKIE|AUTH(?!ORITY)|PRIVATE|SIGNATURE|(^|_)PAT($|_)|DSN"
)


def clean_environment(
    environment: Mapping[str, str] = os.environ, more: Sequence[str] = ()
) -> dict[str, str]:
    """What a child may have: the names above, whatever their case, and `more`, in which NAME_*
    stands for a family.

    A name that speaks of something private stays out, also in an allowed family.
    """
    names = SYSTEM | {name for name in more if not name.endswith("*")}
    families = (*FAMILIES, *(name[:-1] for name in more if name.endswith("*")))

    def allowed(name: str) -> bool:
        return (name in names or name.startswith(families)) and not _PRIVATE.search(name)

    return {name: value for name, value in environment.items() if allowed(name.upper())}
