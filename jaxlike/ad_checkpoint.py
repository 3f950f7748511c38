"""Names and policies of checkpointing, under the names of jax.ad_checkpoint."""

from jaxlike import checkpoint_policies as checkpoint_policies
from jaxlike.transforms.remat import checkpoint as checkpoint
from jaxlike.transforms.remat import print_saved_residuals as print_saved_residuals
from jaxlike.transforms.remat import remat as remat
from jaxlike.transforms.remat_policies import Offloadable as Offloadable
from jaxlike.transforms.remat_policies import Recompute as Recompute
from jaxlike.transforms.remat_policies import Saveable as Saveable
from jaxlike.transforms.remat_policies import checkpoint_name as checkpoint_name
