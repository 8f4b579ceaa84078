# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that files of many makers have, and names that mislead."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.face.evidence import names
from backend.face.evidence.names import CLASSES, kind_of, number_of

TOLD = {
    "hair": (
        """
        Hair Hair_001 hair02.png mat0:hair02.png 000_Hair N00_000_Hair_00_HAIR
        N00_000_00_HairBack_00_HAIR HairBack J_Sec_Hair1_01 HairJoint-1f2e
        Hair1Bang_2 Bangs Fringe.001 Ahoge_L Ponytail PigTail.R TwinTails
        braids fronthair HAIRback BackHair HairFront Hair_Mat AiriHair
        Wolf3D_Hair hair_front side_hair_L hair-strand.004 Head_Hair
        EarHair Sideburn_L 前髪 前髪１ 髪 左前髪 右B前髪１ 中央後ろ髪１ 左後髪前列１
        肩髪１ 左モミアゲ 右もみあげ３ 左アホ毛１ ツインテール左 ポニーテール ヘア 頭髪
        三つ編み 头发 頭髮 刘海 双马尾 后发 呆毛 머리카락 앞머리
        뒷머리1 옆머리 왼쪽앞머리
    """
    ),
    "accessory": (
        """
        headphone HeadPhones eyepatch Eye_Patch eye.patch hairband Hair_Band
        HairPin hair_clip hairRibbon HairAccessory glasses EyeGlasses
        Sunglasses Goggles mask FaceMask Hat cap Helmet ribbon.L bow earring
        Ear_Ring earrings horn_L Tiara Wolf3D_Glasses Wolf3D_Headwear
        ヘッドフォン ヘアバンド ヘアピン 髪飾り 前髪リボン 帽子 メガネ 眼鏡 眼帯
        リボン 右リボン１ カチューシャ イヤリング マスク マイク 角
        首の宝石 眼镜 眼罩 口罩 帽 耳机 发饰 发夹 蝴蝶结 안경 안대 모자 리본 귀걸이 머리띠 헤드폰
    """
    ),
    "eye": (
        """
        Eye eye_L lEye LeftEye eyeball EyeIris N00_000_00_EyeIris_00_EYE EyeWhite
        EyeHighlight FaceEye J_Adj_L_FaceEye CC_Base_L_Eye Std_Cornea_L
        Std_Eye_R Sclera Pupils iris DEF-eye.L master_eye.R
        EyeMoisture eye_white mat6:eye.png 目 左目 左目ハイライト 白目 瞳 右目先 星目
        ぐるぐる目 眼球 眼睛 瞳孔 眼白 눈 눈동자 왼쪽눈 흰자위
    """
    ),
    "lash": (
        "eyelash Eyelashes FaceEyeline Eye_Line eyeliner Std_Eyelash lash_upper まつげ まつ毛 睫毛"
        " 下まつげ アイライン 眼睫毛 속눈썹"
    ),
    "brow": (
        "eyebrow Eyebrows eyebrow_L FaceBrow N00_000_00_FaceBrow_00_FACE lBrowInner DEF-brow.B.L"
        " brow eyebrow_hair 眉 眉毛 左眉 まゆげ 눈썹"
    ),
    "teeth": (
        "teeth Teeth.001 h_TeethDown CC_Base_Teeth01 UpperTeeth gums 歯 上歯 八重歯 牙齿 이빨 치아"
    ),
    "tongue": "tongue Tongue_01 CC_Base_Tongue02 舌 べろ ベロ 舌头 혀",
    "mouth": "mouth FaceMouth N00_000_00_FaceMouth_00_FACE 口 口内 口腔 嘴 입 입안",
    "jaw": "jaw L_Jaw CC_Base_JawRoot lowerJaw chin DEF-chin 顎 あご 下巴 턱",
    "ear": "ear Ear_L CatEars J_Opt_L_CatEar1_01 bunnyEars 耳 左耳１ 猫耳 耳朵 귀",
    "beard": "beard Beard_01 moustache goatee Wolf3D_Beard facial_hair 髭 ひげ あごひげ 胡子 수염",
    "skin": (
        """
        face Face_00_SKIN N00_000_00_Face_00_SKIN mat10:face.png eyelid
        DEF-lid.T.L lEyelidInner EyeSocket cheek lip_upper 顔 肌 頬薄赤 青ざめ
        まぶた 口紅 脸 皮肤 얼굴 입술 눈꺼풀
    """
    ),
    "head": "head Head.001 J_Bip_C_Head mixamorig:HeadTop_End 頭 头",
    "body": (
        "body Torso bodyhair Body_Hair elbow_L "
        "J_Bip_L_UpperArm 上半身 左ひじ 袖口 スカート 胸毛 身体 몸"
    ),
    "": (
        """
        chair Chair.001 Airi share hairless pearl tear hatch bearing heart earth
        browser rainbow Bunny glass window_pane Mesh_0 Material_0 材質1
        part17 default vis_char_001 HairAndBrow Hair_Face
        Glasses_Eye 分け目 網目 发光 目标 눈물 눈사람 머리 コマユ _ . 1 🎀
    """
    ),
}


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, listed in TOLD.items() for name in listed.split()]
)
def test_a_name_speaks_of_what_it_speaks_of(kind: str, name: str) -> None:
    assert kind_of(name) == kind
    assert CLASSES[number_of(name)] == kind


@pytest.mark.parametrize("name", ["mask", "Face Mask", "mask_L"])
def test_a_vertex_group_is_called_a_mask_for_what_it_does(name: str) -> None:
    assert kind_of(name) == "accessory"
    assert (
        kind_of(name, group=True) in ("", "skin", "accessory") and kind_of("mask", group=True) == ""
    )


def test_full_width_and_half_width_letters_are_the_same() -> None:
    assert kind_of("Ｈａｉｒ") == "hair" and kind_of("ﾒｶﾞﾈ") == "accessory"


def test_a_word_is_of_one_class_and_as_names_are_read() -> None:
    words = json.loads(Path(names.__file__).with_name("words.json").read_text(encoding="utf-8"))
    listed = [
        word for scripts in words.values() for text in scripts.values() for word in text.split()
    ]
    assert list(words) == list(CLASSES) and len(listed) == len(set(listed))
    assert all(word == unicodedata.normalize("NFKC", word).lower() for word in listed)


@given(st.text(max_size=400))
def test_any_text_is_a_name(name: str) -> None:
    assert kind_of(name) in CLASSES and kind_of(name, group=True) in CLASSES


@given(st.text(alphabet="hairbndeyelsft_0A髪目머리", max_size=200))
def test_text_of_pieces_of_words_is_one_too(name: str) -> None:
    assert kind_of(name) in CLASSES


@given(
    st.sampled_from(TOLD["hair"].split()),
    st.sampled_from(["", "_L", ".001", "_02", " (Instance)", "-end"]),
    st.sampled_from(["", "01_", "M_"]),
)
def test_numbers_and_sides_change_nothing(name: str, end: str, start: str) -> None:
    assert kind_of(start + name + end) == "hair"
