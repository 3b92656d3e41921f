// Sampling's loops at the scalar level.
#include "cpu/sampling_loops.h"

namespace nt::cpu {

void init_scalar_sampling(Kernels& k);  // for kernels_scalar.cpp

void init_scalar_sampling(Kernels& k) { init_sampling_loops(k); }

}  // namespace nt::cpu
