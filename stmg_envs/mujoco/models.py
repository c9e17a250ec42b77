"""MuJoCo models: Gymnasium's, and what is put together from their parts."""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
from pathlib import Path

import gymnasium
import mujoco
import numpy as np
from numpy.typing import NDArray

ASSETS = Path(gymnasium.__file__).parent / "envs" / "mujoco" / "assets"
"""Gymnasium's model files."""


def read(name: str) -> ET.Element:
    """One of Gymnasium's model files."""
    return ET.parse(ASSETS / name).getroot()


def compiled(root: ET.Element) -> mujoco.MjModel:
    """The model of an XML tree.

    MuJoCo 4 deprecates total masses in XML, with a warning on the screen and in a file; what it says to do
    instead gives the same model to the last bit.
    """
    root = copy.deepcopy(root)
    mass = root.find("compiler").attrib.pop("settotalmass", None)  # type: ignore[union-attr]
    model = mujoco.MjModel.from_xml_string(ET.tostring(root, encoding="unicode"))
    if mass is not None:
        mujoco.mj_setTotalmass(model, float(mass))
        mujoco.mj_setConst(model, mujoco.MjData(model))
    return model


def coupled_half_cheetahs() -> ET.Element:
    """Two half cheetahs side by side, two metres apart, with an elastic tendon between their torsos.

    Together they weigh as much as one of Gymnasium's. The tendon, of stiffness 0.1, keeps to 1.5-3.5 m.
    """
    root = read("half_cheetah.xml")
    world, actuators = _child(root, "worldbody"), _child(root, "actuator")
    cheetah, motors = _child(world, "body"), list(actuators)
    world.remove(cheetah)
    actuators.clear()
    tendon = ET.SubElement(root, "tendon")
    limits = {"limited": "true", "range": "1.5 3.5", "stiffness": "0.1"}
    spatial = ET.SubElement(tendon, "spatial", {**limits, "name": "tendon0", "width": "0.05"})
    for index, y in enumerate((-1, 1)):
        twin = copy.deepcopy(cheetah)
        twin.set("pos", f"0 {y} .7")
        for element in twin.iter():
            if "name" in element.attrib:
                element.set("name", f"{element.get('name')}{index}")
        ET.SubElement(twin, "site", name=f"t{index}", pos="0 0 0", size="0.1")
        world.append(twin)
        for motor in motors:
            named = {name: f"{motor.get(name)}{index}" for name in ("joint", "name")}
            ET.SubElement(actuators, "motor", {**motor.attrib, **named})
        ET.SubElement(spatial, "site", site=f"t{index}")
    return root


def many_segment_swimmer(segments: int) -> ET.Element:
    """Gymnasium's swimmer with so many joints, `rot0`, `rot1`, ...; 2 is Gymnasium's own.

    The axes of the joints between the first and the last point up and down in turns.
    """
    root = read("swimmer.xml")
    actuators = _child(root, "actuator")
    motor = actuators[0]
    actuators.clear()
    parent = _child(_child(root, "worldbody"), "body")
    link = _child(parent, "body")
    parent.remove(link)
    link.remove(_child(link, "body"))
    for index in range(segments):
        body = copy.deepcopy(link)
        body.set("name", f"mid{index}")
        joint = _child(body, "joint")
        joint.set("name", f"rot{index}")
        if 0 < index < segments - 1:
            joint.set("axis", f"0 0 {1 if index % 2 else -1}")
        if index:
            body.set("pos", "-1 0 0")
        parent.append(body)
        parent = body
        ET.SubElement(actuators, "motor", {**motor.attrib, "joint": f"rot{index}"})
    return root


def many_segment_ant(segments: int) -> ET.Element:
    """A row of segments of Gymnasium's ant, rigidly joined, each with two legs.

    The first has its front left and its right back leg; the others trail a metre behind each other on a rod,
    with one leg on each side. The joints of segment s are `hip1_s`, `ankle1_s`, `hip2_s` and `ankle2_s`.
    """
    root = read("ant.xml")
    actuators = _child(root, "actuator")
    actuators.clear()
    segment = _child(_child(root, "worldbody"), "body")
    segment.set("name", "torso_0")
    segment.remove(_child(segment, "geom"))
    for leg in segment.findall("body"):
        segment.remove(leg)
    diagonal = np.array([1.0, 1.0, 0.0]), np.array([1.0, -1.0, 0.0])
    back = np.array([-1.0, 1.0, 0.0]), np.array([-1.0, -1.0, 0.0])
    _add_leg(segment, "1_0", diagonal[0], diagonal[0], "-1 1 0", "30 70")
    _add_leg(segment, "2_0", diagonal[1], diagonal[1], "1 1 0", "30 70")
    for index in range(1, segments):
        segment = ET.SubElement(segment, "body", name=f"torso_{index}", pos="-1 0 0")
        ET.SubElement(segment, "geom", density="100", fromto="1 0 0 0 0 0", size="0.1", type="capsule")
        _add_leg(segment, f"1_{index}", np.array([0.0, 1.0, 0.0]), back[0], "1 1 0", "-70 -30")
        _add_leg(segment, f"2_{index}", np.array([0.0, -1.0, 0.0]), back[1], "-1 1 0", "-70 -30")
    for index in range(segments):
        for joint in ("hip1", "ankle1", "hip2", "ankle2"):
            ET.SubElement(
                actuators, "motor", ctrllimited="true", ctrlrange="-1 1", gear="150", joint=f"{joint}_{index}"
            )
    return root


def _add_leg(
    torso: ET.Element,
    name: str,
    socket: NDArray[np.float64],
    direction: NDArray[np.float64],
    axis: str,
    bend: str,
) -> None:
    """A leg in three pieces: a stump towards the socket, a thigh and a shin in a direction."""
    pieces = (
        ("leg", np.zeros(3), 0.2 * socket, None),
        ("hip", 0.2 * socket, 0.2 * direction, ("0 0 1", "-30 30")),
        ("ankle", 0.2 * direction, 0.4 * direction, (axis, bend)),
    )
    for piece, place, end, joint in pieces:
        torso = ET.SubElement(torso, "body", name=f"{piece}{name}", pos=_text(place))
        if joint is not None:
            ET.SubElement(
                torso,
                "joint",
                axis=joint[0],
                name=f"{piece}{name}",
                pos="0 0 0",
                range=joint[1],
                type="hinge",
            )
        ET.SubElement(torso, "geom", fromto=f"0 0 0 {_text(end)}", size="0.08", type="capsule")


def _text(numbers: NDArray[np.float64]) -> str:
    return " ".join(f"{number:g}" for number in numbers)


def _child(element: ET.Element, tag: str) -> ET.Element:
    child = element.find(tag)
    assert child is not None
    return child
