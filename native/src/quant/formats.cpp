#include "quant/formats.h"

#include "quant/all.h"

namespace nt {

#define X(name, id, values, bytes) \
  static_assert(name::kValues == values && sizeof(name::Block) == bytes && alignof(name::Block) == 1);
NT_QUANTIZED_FORMATS(X)
#undef X

const FormatInfo* find_format(int32_t id) {
  switch (id) {
#define ROW(name, number, values, bytes, quantized)                      \
  case number: {                                                         \
    static constexpr FormatInfo format{#name, values, bytes, quantized}; \
    return &format;                                                      \
  }
#define X(name, number, values, bytes) ROW(name, number, values, bytes, false)
    NT_FLOAT_FORMATS(X)
#undef X
#define X(name, number, values, bytes) ROW(name, number, values, bytes, true)
    NT_QUANTIZED_FORMATS(X)
#undef X
#undef ROW
  }
  return nullptr;
}

namespace {

struct F32 {
  static float at(const uint8_t* p) {
    float f;
    std::memcpy(&f, p, 4);
    return f;
  }
};

struct F16 {
  static float at(const uint8_t* p) { return half_to_float(load_u16(p)); }
};

struct BF16 {
  static float at(const uint8_t* p) { return bfloat_to_float(load_u16(p)); }
};

template <class F>
void decode_floats(const uint8_t* p, size_t n, size_t bytes, float* out) {
  for (size_t i = 0; i < n; ++i) out[i] = F::at(p + i * bytes);
}

template <class F>
void decode_blocks(const uint8_t* p, size_t n, float* out) {
  for (size_t i = 0; i < n; i += F::kValues, p += sizeof(typename F::Block)) {
    decode_block<F>(*reinterpret_cast<const typename F::Block*>(p), out + i);
  }
}

}  // namespace

void decode(Format f, const void* blocks, size_t n, float* out) {
  const auto* p = static_cast<const uint8_t*>(blocks);
  switch (f) {
#define X(name, id, values, bytes) \
  case Format::name:               \
    return decode_floats<name>(p, n, bytes, out);
    NT_FLOAT_FORMATS(X)
#undef X
#define X(name, id, values, bytes) \
  case Format::name:               \
    return decode_blocks<name>(p, n, out);
    NT_QUANTIZED_FORMATS(X)
#undef X
  }
}

}  // namespace nt
