"""What a report says of its own numbers."""

METHODS = """<dl>
<dt>Score</dt><dd>(accuracy found &minus; accuracy that masked random search is
expected to find with as many queries) / (exact optimum &minus; that expectation): 0 is
random search, 1 the optimum, below 0 worse than random. A run that failed counts 0 at
most; one without a feasible network counts 0.</dd>
<dt>Share</dt><dd>Hypervolume of a run's archive over that of the exact front. A front's
score is (share &minus; share that random search is expected to reach) / (1 &minus; that
expectation).</dd>
<dt>Regret</dt><dd>Accuracy of the exact optimum within the budget less that of the best
feasible network found, in percentage points (pp). Before the first feasible network the
accuracy counts as 0. Logarithms are taken of at least 0.001 pp.</dd>
<dt>IQM</dt><dd>Interquartile mean: the mean of the middle half of all runs on all tasks
(Agarwal et al., NeurIPS 2021).</dd>
<dt>Intervals</dt><dd>95 % percentile intervals of a bootstrap that draws runs with
replacement within each task. They speak of other seeds on the same tasks, not of other
tasks. One run has none; those of few runs are too narrow.</dd>
<dt>Gap to 1</dt><dd>Mean of how far runs stay below the optimum's 1.</dd>
<dt>Probability of improvement</dt><dd>P(X &gt; Y) + ½ P(X = Y) for a run of each of two
agents on the same task, mean over tasks.</dd>
<dt>Performance profile</dt><dd>Share of runs whose score is above τ.</dd>
<dt>Ranks</dt><dd>1 is the best mean score on a task; ties share the mean rank.
Friedman's test asks whether all agents rank alike, Wilcoxon's signed-rank test
compares two agents over tasks; p values are adjusted for their number by Holm's
method (Demšar, JMLR 2006).</dd>
<dt>Kinds of data</dt><dd><em>measured</em>: on the device, or from training.
<em>fitted</em>: computed from coefficients that follow measurements. <em>modelled</em>:
from a model with physical terms, where no measurement exists. <em>surrogate</em>: an
accuracy nobody trained for. <em>user</em>: somebody's own. <em>exact</em>: counted from
the architecture. Say the kind wherever you
quote a number.</dd>
</dl>
"""
