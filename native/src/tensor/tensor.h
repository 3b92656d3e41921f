// A non-owning view of a matrix or vector in a file.
#pragma once

#include <cstdint>
#include <string_view>

#include "quant/formats.h"

namespace nt {

// How the bytes are arranged; a packed copy of a tensor has another layout and the same format.
enum class Layout : uint8_t { kRows };  // rows one after another, as in the file

struct Tensor {
  std::string_view name;  // lives as long as the file
  Format format = Format::F32;
  Layout layout = Layout::kRows;
  int64_t n_rows = 0;             // 1 for a vector
  int64_t n_cols = 0;             // values in a row
  const uint8_t* data = nullptr;  // nullptr where only the header of the file was read

  explicit operator bool() const { return n_rows != 0; }
  size_t row_bytes() const { return nt::row_bytes(format, static_cast<size_t>(n_cols)); }
  const uint8_t* row(int64_t r) const { return data + static_cast<size_t>(r) * row_bytes(); }
};

}  // namespace nt
