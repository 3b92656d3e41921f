#if defined(__x86_64__) || defined(_M_X64)
#include "cpu/kernels.h"

namespace nt::cpu {
void init_avx2(Kernels&) {}
}  // namespace nt::cpu
#endif
