package dev.nautil.cli;

import dev.nautil.KvCacheType;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** How keys and values are kept. */
final class KvTypeOption {
  @Option(
      names = "--kv-type",
      paramLabel = "TYPE",
      defaultValue = "f16",
      converter = Converter.class,
      description =
          "How the context is kept in memory: f16, the default, or q8_0, which takes half of it and"
              + " is a little less exact.")
  private KvCacheType type;

  KvCacheType type() {
    return type;
  }

  static final class Converter implements ITypeConverter<KvCacheType> {
    @Override
    public KvCacheType convert(String value) {
      for (KvCacheType type : KvCacheType.values()) {
        if (type.label().equals(value)) {
          return type;
        }
      }
      throw new TypeConversionException("'" + value + "' is none; there are f16 and q8_0");
    }
  }
}
