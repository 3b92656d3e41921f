// Q8_0: 32 values, 8-bit q.  w = d·q
#pragma once

#include "quant/block.h"

namespace nt {

struct Q8_0 {
  static constexpr int kValues = 32;
  static constexpr int kSub = 32;
  static constexpr bool kHasMin = false;
  static constexpr int kBias = 128;

  struct Block {
    f16 d;
    int8_t qs[32];
  };
  static_assert(sizeof(Block) == 34);

  static NT_INLINE void unpack(const Block& b, int8_t* q, float* scale, float*) {
    scale[0] = to_float(b.d);
    std::memcpy(q, b.qs, 32);
  }
};

}  // namespace nt
