// What the formats' headers share: integers and half floats as they lie in a file, and packed scales.
//
// A format is a struct with kValues, kSub, kHasMin, kBias, its Block and unpack(), which gives integers and scales:
//   value i = scale[i / kSub] · q[i] − min[i / kSub]        (min only where kHasMin)
// Both the float decode and the kernels' tiles are made of these. Each scale is rounded as gguf-py rounds it, so that
// the formula above, in F32 and without fma, is gguf-py's value bit for bit. Blocks are byte-aligned: a file may put
// them anywhere.
#pragma once

#include <cstdint>
#include <cstring>

// Always inlined: files with different instruction set flags include this header, and an out-of-line copy that one of
// them was compiled to must never be the one that the others link.
#define NT_INLINE inline __attribute__((always_inline))
#define NT_NOINLINE __attribute__((noinline))
#define NT_INLINE_LAMBDA __attribute__((always_inline))

namespace nt {

NT_INLINE uint16_t load_u16(const uint8_t* p) { return static_cast<uint16_t>(p[0] | p[1] << 8); }

NT_INLINE uint32_t load_u32(const uint8_t* p) { return load_u16(p) | static_cast<uint32_t>(load_u16(p + 2)) << 16; }

struct f16 {
  uint8_t bytes[2];  // little-endian
};

NT_INLINE uint16_t bits(f16 h) { return load_u16(h.bytes); }

// Exact; NaN payloads are kept.
NT_INLINE float half_to_float(uint16_t h) {
  const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16;
  const uint32_t exponent = h >> 10 & 31, mantissa = h & 1023;
  uint32_t u;
  if (exponent == 31) {
    u = sign | 0x7f800000u | mantissa << 13;
  } else if (exponent != 0) {
    u = sign | (exponent + 112) << 23 | mantissa << 13;
  } else {
    // A subnormal half is mantissa · 2⁻²⁴, which a float holds exactly.
    const float f = static_cast<float>(mantissa) * 5.9604644775390625e-8f;
    std::memcpy(&u, &f, 4);
    u |= sign;
  }
  float f;
  std::memcpy(&f, &u, 4);
  return f;
}

NT_INLINE float to_float(f16 h) { return half_to_float(bits(h)); }

// A bfloat16 is the upper half of a float.
NT_INLINE float bfloat_to_float(uint16_t h) {
  const uint32_t u = static_cast<uint32_t>(h) << 16;
  float f;
  std::memcpy(&f, &u, 4);
  return f;
}

// Number i of a row of four-bit integers, the low nibble first.
NT_INLINE int nibble(const uint8_t* packed, int i) { return packed[i / 2] >> 4 * (i % 2) & 15; }

// Scale and min of sub-block j of Q4_K and Q5_K: six bits each, the last four pairs split between two bytes.
NT_INLINE void scale_min_k4(const uint8_t* packed, int j, int* scale, int* min) {
  if (j < 4) {
    *scale = packed[j] & 63;
    *min = packed[j + 4] & 63;
  } else {
    *scale = (packed[j + 4] & 15) | (packed[j - 4] >> 6) << 4;
    *min = (packed[j + 4] >> 4) | (packed[j] >> 6) << 4;
  }
}

// The IQ formats store seven of a group's eight signs; the eighth makes the number of minus signs even.
NT_INLINE unsigned sign_pattern(unsigned seven) {
  unsigned parity = seven ^ seven >> 4;
  parity ^= parity >> 2;
  parity ^= parity >> 1;
  return seven | (parity & 1) << 7;
}

// q[i] = byte i of `magnitudes`, negated where bit i of `signs` is set; n values.
NT_INLINE void put_signed(uint64_t magnitudes, unsigned signs, int n, int8_t* q) {
  for (int i = 0; i < n; ++i) {
    const int m = static_cast<int>(magnitudes >> 8 * i & 255);
    q[i] = static_cast<int8_t>(signs >> i & 1 ? -m : m);
  }
}

}  // namespace nt
