"""A user's function that was named by a text, so that a file or a command runs it."""

from hwnas_env.errors import OwnFunctionError
from hwnas_env.extras import error_words
from hwnas_env.types import AccuracyFunction, Genotypes


class OwnFunction:
    """A function whose own error is one that names it; it can be pickled.

    Args:
        function: of genotypes ``(N, L)``.
        name: "package.module:function".
    """

    def __init__(self, function: AccuracyFunction, name: str) -> None:
        """See the class."""
        self.function, self.name = function, name

    def __call__(self, genotypes: Genotypes) -> object:
        """Returns what the function says.

        Raises:
            OwnFunctionError: the function raised anything, or ended the process.
        """
        try:
            return self.function(genotypes)
        except (Exception, SystemExit) as error:
            message = f"{self.name} raised {error_words(error)}"
            raise OwnFunctionError(message) from error
