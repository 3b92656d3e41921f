// Every format's struct, under the names of NT_QUANTIZED_FORMATS, and the float decode that is made of their unpack().
#pragma once

#include "quant/block.h"
#include "quant/formats.h"
#include "quant/iq1_m.h"
#include "quant/iq1_s.h"
#include "quant/iq2_s.h"
#include "quant/iq2_xs.h"
#include "quant/iq2_xxs.h"
#include "quant/iq3_s.h"
#include "quant/iq3_xxs.h"
#include "quant/iq4_nl.h"
#include "quant/iq4_xs.h"
#include "quant/q2_k.h"
#include "quant/q3_k.h"
#include "quant/q4_0.h"
#include "quant/q4_1.h"
#include "quant/q4_k.h"
#include "quant/q5_0.h"
#include "quant/q5_1.h"
#include "quant/q5_k.h"
#include "quant/q6_k.h"
#include "quant/q8_0.h"

namespace nt {

// The values of one block.
template <class F>
NT_INLINE void decode_block(const typename F::Block& b, float* out) {
  int8_t q[F::kValues];
  float scale[F::kValues / F::kSub], min[F::kValues / F::kSub];
  F::unpack(b, q, scale, min);
  for (int i = 0; i < F::kValues; ++i) {
    out[i] = scale[i / F::kSub] * static_cast<float>(q[i]);
    if constexpr (F::kHasMin) out[i] -= min[i / F::kSub];
  }
}

}  // namespace nt
