from .batch import engine_batch as engine_batch
from .child import be_child as be_child
from .child import portable as portable
from .errors import WorkerError as WorkerError
from .patience import ANSWER_SECONDS as ANSWER_SECONDS
from .supervision import ending as ending
from .supervision import process_context as process_context
from .vector import PoolVectorEnv as PoolVectorEnv
