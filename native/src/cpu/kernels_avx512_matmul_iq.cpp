// AVX-512 VNNI: matrix products of the formats with code books.
#if defined(__x86_64__) || defined(_M_X64)
#include "cpu/kernels_avx512_grids.h"
#include "cpu/kernels_avx512_matmul.h"

namespace nt::cpu {

void init_avx512_matmul_iq(Kernels& k) {
  k.matmul[static_cast<int>(Format::IQ2_XXS)] = matmul<IQ2_XXS>;
  k.matmul[static_cast<int>(Format::IQ2_XS)] = matmul<IQ2_XS>;
  k.matmul[static_cast<int>(Format::IQ2_S)] = matmul<IQ2_S>;
  k.matmul[static_cast<int>(Format::IQ3_XXS)] = matmul<IQ3_XXS>;
  k.matmul[static_cast<int>(Format::IQ3_S)] = matmul<IQ3_S>;
  k.matmul[static_cast<int>(Format::IQ1_S)] = matmul<IQ1_S>;
  k.matmul[static_cast<int>(Format::IQ1_M)] = matmul<IQ1_M>;
}

}  // namespace nt::cpu
#endif
