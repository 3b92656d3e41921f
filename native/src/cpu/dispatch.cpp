// Which kernels this process runs. Levels rise: each one's table is a copy of the one below, with the entries
// overridden that the level does better.
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include "cpu/kernels.h"

#if defined(__x86_64__) || defined(_M_X64)
#define NT_X86_64 1
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#elif defined(__aarch64__)
#if defined(__linux__)
#include <sys/auxv.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif
#endif

namespace nt::cpu {

void init_scalar(Kernels& k);
#if NT_X86_64
void init_avx2(Kernels& k);
void init_avx_vnni(Kernels& k);
void init_avx_vnni_evex(Kernels& k);
void init_avx512(Kernels& k);
void init_avx512_vbmi(Kernels& k);
void init_amx(Kernels& k);
#elif defined(__aarch64__)
void init_neon(Kernels& k);
void init_neon_dotprod(Kernels& k);
void init_neon_i8mm(Kernels& k);
#endif

namespace {

bool always() { return true; }

#if NT_X86_64

struct CpuidLeaf {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

// Zeros where the CPU has no such leaf.
CpuidLeaf cpuid(uint32_t leaf, uint32_t subleaf = 0) {
  CpuidLeaf r;
#if defined(_MSC_VER)
  int regs[4];
  __cpuid(regs, 0);
  if (static_cast<uint32_t>(regs[0]) < leaf) return r;
  __cpuidex(regs, static_cast<int>(leaf), static_cast<int>(subleaf));
  std::memcpy(&r, regs, sizeof r);
#else
  __get_cpuid_count(leaf, subleaf, &r.eax, &r.ebx, &r.ecx, &r.edx);
#endif
  return r;
}

// The register sets that the operating system saves: XCR0. To be asked only where OSXSAVE is set.
uint64_t saved_registers() {
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low | static_cast<uint64_t>(high) << 32;
#endif
}

bool has_all(uint32_t word, std::initializer_list<int> bits) {
  for (int bit : bits) {
    if (!(word >> bit & 1)) return false;
  }
  return true;
}

// Bit numbers are those of the CPUID instruction in Intel's manual (volume 2A) and AMD's (volume 3, appendix E).
bool has_avx2() {
  const CpuidLeaf one = cpuid(1), seven = cpuid(7);
  constexpr int kFma = 12, kOsxsave = 27, kAvx = 28, kF16c = 29, kAvx2 = 5;
  if (!has_all(one.ecx, {kFma, kOsxsave, kAvx, kF16c}) || !has_all(seven.ebx, {kAvx2})) return false;
  constexpr uint64_t kXmmYmm = 0x6;
  return (saved_registers() & kXmmYmm) == kXmmYmm;
}

bool has_avx512_vnni() {
  if (!has_avx2()) return false;
  const CpuidLeaf seven = cpuid(7);
  constexpr int kF = 16, kDq = 17, kBw = 30, kVl = 31, kVnni = 11;
  if (!has_all(seven.ebx, {kF, kDq, kBw, kVl}) || !has_all(seven.ecx, {kVnni})) return false;
  constexpr uint64_t kMaskZmm = 0xe0;
  return (saved_registers() & kMaskZmm) == kMaskZmm;
}

bool has_vex_vnni() {
  constexpr int kAvxVnni = 4;
  return has_avx2() && cpuid(7).eax >= 1 && has_all(cpuid(7, 1).eax, {kAvxVnni});
}

// CPUs with AVX-512 VNNI run the level's code in that encoding, so that it is tested on more of them.
bool has_avx_vnni() { return has_vex_vnni() || has_avx512_vnni(); }

void init_any_avx_vnni(Kernels& k) { (has_vex_vnni() ? init_avx_vnni : init_avx_vnni_evex)(k); }

bool has_avx512_vbmi() {
  constexpr int kVbmi = 1;
  return has_avx512_vnni() && has_all(cpuid(7).ecx, {kVbmi});
}

// The registers take 8 KiB, so that Linux, since 5.16, saves them only for a process that asked for it. From then on it
// refuses stacks for signals that have no room for them, and it refuses to where a thread has such a one.
bool has_amx() {
#if defined(__linux__)
  constexpr int kTile = 24, kInt8 = 25;
  if (!has_avx512_vbmi() || !has_all(cpuid(7).edx, {kTile, kInt8})) return false;
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}
#elif defined(__aarch64__)

// Bit numbers are those of HWCAP_ASIMDDP and HWCAP2_I8MM in Linux's documentation (arch/arm64/elf_hwcaps), which older
// headers lack; names are those of Apple's sysctl.
#if defined(__linux__)
bool has_dotprod() { return getauxval(AT_HWCAP) >> 20 & 1; }
bool has_i8mm() { return getauxval(AT_HWCAP2) >> 13 & 1; }
#elif defined(__APPLE__)
bool has_feature(const char* name) {
  int value = 0;
  size_t size = sizeof value;
  return sysctlbyname(name, &value, &size, nullptr, 0) == 0 && value != 0;
}
bool has_dotprod() { return has_feature("hw.optional.arm.FEAT_DotProd"); }
bool has_i8mm() { return has_feature("hw.optional.arm.FEAT_I8MM"); }
#else
bool has_dotprod() { return false; }
bool has_i8mm() { return false; }
#endif

#endif

// Intel's CPUs read more streams faster than one, AMD's one: see ahead_of().
bool is_intel() {
#if NT_X86_64
  const CpuidLeaf zero = cpuid(0);
  const uint32_t vendor[] = {zero.ebx, zero.edx, zero.ecx};
  return std::memcmp(vendor, "GenuineIntel", sizeof vendor) == 0;
#else
  return false;
#endif
}

struct Level {
  const char* name;
  bool (*supported)();
  void (*init)(Kernels&);
};

constexpr Level kLevels[] = {
    {"scalar", always, init_scalar},
#if NT_X86_64
    {"avx2", has_avx2, init_avx2},
    {"avx_vnni", has_avx_vnni, init_any_avx_vnni},
    {"avx512_vnni", has_avx512_vnni, init_avx512},
    {"avx512_vbmi", has_avx512_vbmi, init_avx512_vbmi},
    {"amx_int8", has_amx, init_amx},
#elif defined(__aarch64__)
    {"neon", always, init_neon},
    {"neon_dotprod", has_dotprod, init_neon_dotprod},
    {"neon_i8mm", has_i8mm, init_neon_i8mm},
#endif
};
constexpr int kMaxLevels = sizeof kLevels / sizeof *kLevels;

struct Tables {
  Kernels table[kMaxLevels] = {};
  int n = 0;         // levels that the CPU runs
  int selected = 0;  // the highest that NAUTIL_ISA allows; a name that is none of the levels' is no cap

  Tables() {
    const char* cap = std::getenv("NAUTIL_ISA");
    bool capped = false;
    const bool intel = is_intel();
    for (const Level& level : kLevels) {
      if (!level.supported()) break;
      if (n > 0) table[n] = table[n - 1];
      level.init(table[n]);
      table[n].name = level.name;
      table[n].rows_apart = intel;
      if (!capped) selected = n;
      capped = capped || (cap && std::strcmp(cap, level.name) == 0);
      ++n;
    }
  }
};

const Tables& tables() {
  static const Tables instance;
  return instance;
}

}  // namespace

const Kernels& kernels() { return tables().table[tables().selected]; }

int all_kernels(const Kernels** out) {
  const Tables& t = tables();
  for (int i = 0; i < t.n; ++i) out[i] = &t.table[i];
  return t.n;
}

}  // namespace nt::cpu
