// The bytes of one file, for as long as the object lives. Only this class knows the operating system.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace nt {

class Mapping {
 public:
  // Maps the file, or reads it into memory where `copy` is set: a map dies with SIGBUS when the file is cut short.
  // path is UTF-8. Throws Error (NT_IO, NT_OUT_OF_MEMORY).
  static std::unique_ptr<Mapping> open(const std::string& path, bool copy);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

  // Brings bytes [offset, offset + n), which lie inside the file, into memory. Throws Error (NT_IO) where it can tell
  // that they cannot be read.
  void touch(size_t offset, size_t n) const;

 private:
  Mapping(uint8_t* data, size_t size) : data_(data), size_(size) {}
  uint8_t* data_;
  size_t size_;
};

}  // namespace nt
