"""The joints of every body, what links them, and the factorisations of MaMuJoCo."""

from __future__ import annotations

from itertools import pairwise

from stmg_envs.mujoco.limbs import Limbs


def _pairs(*joints: str) -> tuple[tuple[str, ...], ...]:
    """Links of joints in a row."""
    return tuple(pairwise(joints))


def _each(*joints: str) -> tuple[tuple[str, ...], ...]:
    """A part for every joint."""
    return tuple((joint,) for joint in joints)


def _legs(suffix: str = "") -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The joints of a cheetah's legs, from the body to the foot."""
    return tuple(tuple(f"{end}{piece}{suffix}" for piece in ("thigh", "shin", "foot")) for end in ("b", "f"))  # type: ignore[return-value]


BACK, FRONT = _legs()

HALF_CHEETAH = Limbs(
    joints=("bfoot", "bshin", "bthigh", "ffoot", "fshin", "fthigh"),
    links=_pairs(*reversed(BACK), *FRONT),
    factorisations={"2x3": (BACK, FRONT), "6x1": _each(*BACK, *FRONT)},
)

(BACK_0, FRONT_0), (BACK_1, FRONT_1) = _legs("0"), _legs("1")

COUPLED_HALF_CHEETAHS = Limbs(
    joints=(*sorted((*BACK_0, *FRONT_0)), *sorted((*BACK_1, *FRONT_1))),
    links=(*_pairs(*reversed(BACK_0), *FRONT_0), *_pairs(*reversed(BACK_1), *FRONT_1)),
    factorisations={"1p1": ((*BACK_0, *FRONT_0), (*BACK_1, *FRONT_1))},
    ties=(("bthigh0", "bthigh1"),),
)

HIPS, ANKLES = (tuple(f"{joint}_{leg}" for leg in (1, 2, 3, 4)) for joint in ("hip", "ankle"))
FRONT_LEFT, FRONT_RIGHT, BACK_LEFT, BACK_RIGHT = zip(HIPS, ANKLES, strict=True)

ANT = Limbs(
    joints=(*ANKLES, *HIPS),
    links=(*zip(HIPS, ANKLES, strict=True), HIPS),
    factorisations={
        "2x4": ((*FRONT_LEFT, *FRONT_RIGHT), (*BACK_LEFT, *BACK_RIGHT)),
        "2x4d": ((*FRONT_LEFT, *BACK_RIGHT), (*FRONT_RIGHT, *BACK_LEFT)),
        "4x2": (FRONT_LEFT, FRONT_RIGHT, BACK_LEFT, BACK_RIGHT),
    },
)

HOPPER = Limbs(
    joints=("foot_joint", "leg_joint", "thigh_joint"),
    links=_pairs("foot_joint", "leg_joint", "thigh_joint"),
    factorisations={"3x1": _each("thigh_joint", "leg_joint", "foot_joint")},
)

RIGHT = ("foot_joint", "leg_joint", "thigh_joint")
LEFT = ("foot_left_joint", "leg_left_joint", "thigh_left_joint")

WALKER = Limbs(
    joints=tuple(sorted((*RIGHT, *LEFT))),
    links=_pairs(*RIGHT, *reversed(LEFT)),
    factorisations={"2x3": (RIGHT, LEFT), "6x1": _each(*reversed(RIGHT), *reversed(LEFT))},
)

ABDOMEN = ("abdomen_x", "abdomen_y", "abdomen_z")


def _side(side: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The joints of a humanoid's leg and arm."""
    return (
        (*(f"{side}_hip_{axis}" for axis in "xyz"), f"{side}_knee"),
        (f"{side}_shoulder1", f"{side}_shoulder2", f"{side}_elbow"),
    )


(RIGHT_LEG, RIGHT_ARM), (LEFT_LEG, LEFT_ARM) = _side("right"), _side("left")

HUMANOID = Limbs(
    # As in MaMuJoCo, which has the abdomen's y and z the other way round.
    joints=("abdomen_x", "abdomen_z", "abdomen_y", *sorted((*LEFT_LEG, *LEFT_ARM, *RIGHT_LEG, *RIGHT_ARM))),
    links=(
        LEFT_ARM,
        RIGHT_ARM,
        LEFT_LEG,
        RIGHT_LEG,
        (*LEFT_ARM[:2], *ABDOMEN),
        (*RIGHT_ARM[:2], *ABDOMEN),
        (*LEFT_LEG[:3], *ABDOMEN),
        (*RIGHT_LEG[:3], *ABDOMEN),
    ),
    factorisations={
        "9|8": ((*ABDOMEN, *RIGHT_ARM, *LEFT_ARM), (*RIGHT_LEG, *LEFT_LEG)),
        "17x1": _each(*ABDOMEN, *RIGHT_LEG, *LEFT_LEG, *RIGHT_ARM, *LEFT_ARM),
    },
)

REACHER = Limbs(
    joints=("joint0", "joint1"),
    links=(("joint0", "joint1"),),
    factorisations={"2x1": _each("joint0", "joint1")},
)

SHOULDER = ("r_shoulder_pan_joint", "r_shoulder_lift_joint", "r_upper_arm_roll_joint")
ELBOW = ("r_elbow_flex_joint",)
WRIST = ("r_forearm_roll_joint", "r_wrist_flex_joint", "r_wrist_roll_joint")

PUSHER = Limbs(
    joints=(*ELBOW, "r_forearm_roll_joint", "r_upper_arm_roll_joint", *SHOULDER[:2], *WRIST[1:]),
    links=_pairs(*SHOULDER, *ELBOW, *WRIST),
    factorisations={"3p": (SHOULDER, ELBOW, WRIST)},
)

SWIMMER = Limbs(
    joints=("motor1_rot", "motor2_rot"),
    links=(("motor1_rot", "motor2_rot"),),
    factorisations={"2x1": _each("motor1_rot", "motor2_rot")},
)


def many_segment_swimmer(agents: int, each: int) -> Limbs:
    """A row of joints, so many for each agent."""
    joints = tuple(f"rot{index}" for index in range(agents * each))
    parts = tuple(joints[first : first + each] for first in range(0, len(joints), each))
    # As in MaMuJoCo, in the order of the names as text.
    return Limbs(tuple(sorted(joints)), _pairs(*joints), {f"{agents}x{each}": parts})


def many_segment_ant(agents: int, each: int) -> Limbs:
    """A row of segments with two legs, so many for each agent; hips of adjacent segments are linked."""
    hips = [(f"hip1_{index}", f"hip2_{index}") for index in range(agents * each)]
    legs = [
        tuple(f"{joint}{leg}_{index}" for leg in (1, 2) for joint in ("hip", "ankle"))
        for index in range(agents * each)
    ]
    links = [pair for leg in legs for pair in (leg[:2], leg[2:])]
    spine = [one + other for one, other in pairwise(hips)] or hips
    parts = tuple(
        tuple(joint for leg in legs[first : first + each] for joint in leg)
        for first in range(0, len(legs), each)
    )
    joints = tuple(sorted(joint for leg in legs for joint in leg))
    return Limbs(joints, (*links, *spine), {f"{agents}x{each}": parts})
