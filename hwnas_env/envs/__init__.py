"""Environments: one for every search space and device, in three modes, and vectors."""

from typing import TYPE_CHECKING

from hwnas_env.envs.registration import environment_id, environments
from hwnas_env.faces import lazy

if TYPE_CHECKING:
    from hwnas_env.envs.base import HWNASEnv as HWNASEnv
    from hwnas_env.envs.config import EnvConfig as EnvConfig
    from hwnas_env.envs.construct import ConstructEnv as ConstructEnv
    from hwnas_env.envs.joint import JointEnv as JointEnv
    from hwnas_env.envs.modes import MODES as MODES
    from hwnas_env.envs.modes import make as make
    from hwnas_env.envs.mutate import MutateEnv as MutateEnv
    from hwnas_env.envs.spec import HWNASEnvSpec as HWNASEnvSpec
    from hwnas_env.envs.vector import HWNASVectorEnv as HWNASVectorEnv

_HOMES = {
    "MODES": "hwnas_env.envs.modes",
    "ConstructEnv": "hwnas_env.envs.construct",
    "EnvConfig": "hwnas_env.envs.config",
    "HWNASEnv": "hwnas_env.envs.base",
    "HWNASEnvSpec": "hwnas_env.envs.spec",
    "HWNASVectorEnv": "hwnas_env.envs.vector",
    "JointEnv": "hwnas_env.envs.joint",
    "MutateEnv": "hwnas_env.envs.mutate",
    "make": "hwnas_env.envs.modes",
}

__all__ = ["environment_id", "environments", *_HOMES]

__getattr__, __dir__ = lazy(__name__, _HOMES)
