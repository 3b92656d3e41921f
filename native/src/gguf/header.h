// Reads and validates the header of one GGUF file: everything before the tensors' data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "gguf/gguf.h"

namespace nt {

// Positions of entries in the order of their names: what find() searches.
using NameIndex = std::vector<uint32_t>;

struct Header {
  uint32_t version = 0;
  uint64_t alignment = 32;
  std::vector<MetadataEntry> metadata;  // in the file's order, as are the tensors
  NameIndex metadata_index;
  std::vector<TensorEntry> tensors;
};

// The result points into data. Throws Error (NT_FORMAT).
Header read_header(const uint8_t* data, size_t size);

NameIndex index_names(const std::vector<MetadataEntry>& entries);  // throws where two have one name
NameIndex index_names(const std::vector<TensorEntry>& entries);

// nullptr if there is none.
const MetadataEntry* find_name(const std::vector<MetadataEntry>& entries, const NameIndex& index,
                               std::string_view name);
const TensorEntry* find_name(const std::vector<TensorEntry>& entries, const NameIndex& index, std::string_view name);

}  // namespace nt
