// AVX2: matrix products of the quantised formats.
#if defined(__x86_64__) || defined(_M_X64)
#include "cpu/kernels_avx2_matmul.h"

namespace nt::cpu {

void init_avx2_matmul(Kernels& k) {
#define X(format, id, values, bytes) k.matmul[id] = matmul<format>;
  NT_QUANTIZED_FORMATS(X)
#undef X
}

}  // namespace nt::cpu
#endif
