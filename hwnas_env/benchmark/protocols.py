"""Hyperparameters as others published them, for comparisons under their protocols.

References:
    Dong and Yang, NAS-Bench-201, ICLR 2020; their scripts: AutoDL-Projects.
"""

from hwnas_env.agents import EvolutionConfig, ReinforceConfig

NASBENCH201_EVOLUTION = EvolutionConfig(
    population=10, sample=3, double=0.0, distinct=False
)
"""As in NAS-Bench-201: ``--ea_population 10 --ea_sample_size 3`` in AutoDL-Projects,
scripts-search/NAS-Bench-201-algos/R-EA.sh."""

NASBENCH201_REINFORCE = ReinforceConfig(
    step_size=0.01, momentum=0.9, normalise=False, optimiser="adam"
)
"""As its authors ran it for NATS-Bench: ``--learning_rate 0.01 --EMA_momentum 0.9`` and
Adam in AutoDL-Projects, exps/NATS-algos/reinforce.py. Their command for NAS-Bench-201,
docs/NAS-Bench-201.md, names 0.5, which is worse there."""
