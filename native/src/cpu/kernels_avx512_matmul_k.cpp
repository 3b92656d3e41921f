// AVX-512 VNNI: matrix products of the K-quants.
#if defined(__x86_64__) || defined(_M_X64)
#include "cpu/kernels_avx512_matmul.h"

namespace nt::cpu {

void init_avx512_matmul_k(Kernels& k) {
  k.matmul[static_cast<int>(Format::Q2_K)] = matmul<Q2_K>;
  k.matmul[static_cast<int>(Format::Q3_K)] = matmul<Q3_K>;
  k.matmul[static_cast<int>(Format::Q4_K)] = matmul<Q4_K>;
  k.matmul[static_cast<int>(Format::Q5_K)] = matmul<Q5_K>;
  k.matmul[static_cast<int>(Format::Q6_K)] = matmul<Q6_K>;
}

}  // namespace nt::cpu
#endif
