# Flags of the files that hold one instruction set's kernels. No other file gets them, so that no wide instruction leaks
# into code that runs before the CPU was asked.
function(nautil_isa_flags)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
    # GCC 12 takes the undefined upper parts in its own AVX-512 header for uninitialised reads (its bug 105593).
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      set(quiet "-Wno-uninitialized;-Wno-maybe-uninitialized")
      # It would put off a product's additions until all the factors are there, far more than there are registers.
      set(in_order "-fno-tree-reassoc;-fno-tree-ter")
      # At -O1 it warns, under no flag's name, of each loop that it does not unroll as asked.
      if(NAUTIL_SANITIZE)
        set(unrolled "-Wno-error")
        list(APPEND quiet ${unrolled})
      endif()
    endif()
    file(GLOB avx2 RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} src/cpu/*_avx2*.cpp)
    set_source_files_properties(${avx2} PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;-mf16c;${in_order};${unrolled}")
    set_source_files_properties(src/cpu/kernels_avx_vnni.cpp PROPERTIES COMPILE_OPTIONS
      "-mavx2;-mfma;-mf16c;-mavxvnni;${unrolled}")
    set_source_files_properties(src/cpu/kernels_avx_vnni_evex.cpp PROPERTIES COMPILE_OPTIONS
      "-mavx2;-mfma;-mf16c;-mavx512f;-mavx512vl;-mavx512vnni;${quiet}")
    set(avx512_flags
      "-mavx2;-mfma;-mf16c;-mavx512f;-mavx512bw;-mavx512dq;-mavx512vl;-mavx512vnni;-mprefer-vector-width=512;${quiet}")
    file(GLOB avx512 RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} src/cpu/kernels_avx512*.cpp)
    set_source_files_properties(${avx512} src/cpu/kernels_amx.cpp PROPERTIES COMPILE_OPTIONS "${avx512_flags}")
    set_property(SOURCE src/cpu/kernels_avx512_vbmi.cpp APPEND PROPERTY COMPILE_OPTIONS "-mavx512vbmi")
    set_property(SOURCE src/cpu/kernels_amx.cpp APPEND PROPERTY COMPILE_OPTIONS "-mamx-tile;-mamx-int8")
    # Instrumented in line, the unrolled products take minutes to compile. Calls find the same errors of memory.
    if(NAUTIL_SANITIZE MATCHES "address" AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
      set(by_calls -mllvm -asan-instrumentation-with-call-threshold=0
        -fno-sanitize=alignment,null,pointer-overflow,object-size)
      file(GLOB products RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} src/cpu/kernels_*_matmul*.cpp src/cpu/kernels_*vnni*.cpp src/cpu/kernels_avx512_vbmi.cpp src/cpu/kernels_amx.cpp)
      set_property(SOURCE ${products} APPEND PROPERTY COMPILE_OPTIONS ${by_calls})
    endif()
    set(NAUTIL_AVX512_FLAGS "${avx512_flags};${by_calls}" PARENT_SCOPE)  # a test has a file of products, too
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64|ARM64")
    # GCC's scheduling before registers are given out spills the sums of a product.
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      set(in_order "-fno-schedule-insns")
    endif()
    # kernels_neon.cpp needs no extension: every AArch64 CPU has NEON.
    set_source_files_properties(src/cpu/kernels_neon.cpp PROPERTIES COMPILE_OPTIONS "${in_order}")
    set_source_files_properties(src/cpu/kernels_neon_dotprod.cpp PROPERTIES COMPILE_OPTIONS
      "-march=armv8.2-a+dotprod;${in_order}")
    set_source_files_properties(src/cpu/kernels_neon_i8mm.cpp PROPERTIES COMPILE_OPTIONS
      "-march=armv8.2-a+dotprod+i8mm;${in_order}")
  endif()
endfunction()
