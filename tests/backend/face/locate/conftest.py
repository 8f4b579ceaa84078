# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of finding share: the shipped encoder and the sample head."""

from __future__ import annotations

import pytest

from backend.face.locate.encoder_search import Encode
from backend.inference.cancellation import Cancellation
from backend.inference.decoding import encode_with
from backend.inference.loading import load_model
from scripts.samples.head import SampleHead, build


@pytest.fixture(scope="package")
def encode() -> Encode:
    """The shipped encoder."""
    return encode_with(load_model(), Cancellation())


@pytest.fixture(scope="package")
def sample() -> SampleHead:
    """The realistic sample head."""
    return build()
