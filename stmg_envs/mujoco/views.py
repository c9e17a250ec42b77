"""What agents see of each body: MaMuJoCo's numbers in MaMuJoCo's order."""

from __future__ import annotations

from stmg_envs.mujoco.features import View

ALL = slice(None)


def plane(velocity: str = "qvel") -> View:
    """What is seen of a body in a plane: everything but how far it has come."""
    return View(
        own=("qpos", "qvel"),
        state=(("qpos", slice(1, None)), (velocity, ALL)),
        shared=(("qpos", slice(1, 3)), ("qvel", slice(0, 3))),
    )


ANT_BODIES = {
    joint: bodies_of_joint
    for leg, first in enumerate((2, 5, 8, 11), start=1)
    for joint, bodies_of_joint in (
        (f"hip_{leg}", (1, first)),
        (f"ankle_{leg}", (first, first + 1, first + 2)),
    )
}
"""Bodies at the joints of the ant, by number: the last of each leg has no name."""


def _humanoid() -> dict[str, tuple[str | int, ...]]:
    at: dict[str, tuple[str | int, ...]] = {
        "abdomen_y": ("torso", "lwaist", "pelvis"),
        "abdomen_z": ("torso", "lwaist", "pelvis"),
        "abdomen_x": ("pelvis", "right_thigh", "left_thigh"),
    }
    for side in ("right", "left"):
        at |= {f"{side}_hip_{axis}": (f"{side}_thigh", f"{side}_shin") for axis in "xyz"}
        at[f"{side}_knee"] = (f"{side}_shin", f"{side}_foot")
        arm = (f"{side}_upper_arm", f"{side}_lower_arm")
        at |= {f"{side}_shoulder{index}": ("torso", *arm) for index in (1, 2)}
        at[f"{side}_elbow"] = arm[1:]
    return at


FREE_BODY = (("qpos", slice(2, 7)), ("qvel", slice(0, 6)))
"""Height, orientation and velocity of a body that moves freely."""

CRAWLER = View(
    own=("qpos", "qvel", "clipped cfrc_ext"),
    state=(("qpos", slice(2, None)), ("qvel", ALL), ("clipped cfrc_ext", slice(6, None))),
    shared=FREE_BODY,
    bodies=ANT_BODIES,
)

UPRIGHT = View(
    own=("qpos", "qvel", "cinert", "cvel", "qfrc_actuator", "cfrc_ext"),
    state=(
        ("qpos", slice(2, None)),
        ("qvel", ALL),
        ("cinert", slice(10, None)),
        ("cvel", slice(6, None)),
        ("qfrc_actuator", slice(6, None)),
        ("cfrc_ext", slice(6, None)),
    ),
    shared=FREE_BODY,
    bodies=_humanoid(),
)

COUPLED = View(
    own=("qpos", "qvel"),
    state=(
        ("qpos", slice(1, 9)),
        ("qpos", slice(10, 18)),
        ("qvel", ALL),
        ("tendon pull", ALL),
        ("ten_length", ALL),
        ("ten_velocity", ALL),
    ),
    shared=(
        ("qpos", slice(2, 0, -1)),
        ("qpos", slice(11, 9, -1)),
        ("qvel", slice(0, 1)),
        ("qvel", slice(2, 0, -1)),
        ("qvel", slice(9, 10)),
        ("qvel", slice(11, 9, -1)),
    ),
    extras=dict.fromkeys(("bthigh0", "bthigh1"), ("tendon pull", "ten_length", "ten_velocity")),
)

HOPPER = View(
    own=("qpos", "clipped qvel"),
    state=(("qpos", slice(1, None)), ("clipped qvel", ALL)),
    shared=(("qpos", slice(1, 3)), ("clipped qvel", slice(0, 3))),
)

REACHER = View(
    own=("sin", "cos", "qvel"),
    state=(
        ("cos", slice(2)),
        ("sin", slice(2)),
        ("qpos", slice(2, None)),
        ("qvel", slice(2)),
        ("miss", slice(2)),
    ),
    shared=(("qpos", slice(2, None)),),
    others=("sin", "cos"),
    extras={"joint1": ("miss",)},
)

PUSHER = View(
    own=("qpos", "qvel"),
    state=(
        ("qpos", slice(7)),
        ("qvel", slice(7)),
        ("xpos", "tips_arm"),
        ("xpos", "object"),
        ("xpos", "goal"),
    ),
    shared=(("xpos", "tips_arm"), ("xpos", "object"), ("xpos", "goal")),
)

SWIMMER = View(
    own=("qpos", "qvel"),
    state=(("qpos", slice(2, None)), ("qvel", ALL)),
    shared=(("qpos", slice(2, 3)), ("qvel", slice(2, 3))),
    velocities={"motor1_rot": (0, 3), "motor2_rot": (1, 4)},
)

SEGMENTS = View(own=("qpos", "qvel"), state=(("qpos", slice(2, None)), ("qvel", ALL)), shared=())
