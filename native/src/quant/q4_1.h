// Q4_1: 32 values, 4-bit q.  w = d·q + m
#pragma once

#include "quant/block.h"

namespace nt {

struct Q4_1 {
  static constexpr int kValues = 32;
  static constexpr int kSub = 32;
  static constexpr bool kHasMin = true;
  static constexpr int kBias = 0;

  struct Block {
    f16 d, m;
    uint8_t qs[16];  // low nibbles values 0–15, high nibbles values 16–31
  };
  static_assert(sizeof(Block) == 20);

  static NT_INLINE void unpack(const Block& b, int8_t* q, float* scale, float* min) {
    scale[0] = to_float(b.d);
    min[0] = -to_float(b.m);
    for (int l = 0; l < 16; ++l) {
      q[l] = static_cast<int8_t>(b.qs[l] & 15);
      q[l + 16] = static_cast<int8_t>(b.qs[l] >> 4);
    }
  }
};

}  // namespace nt
