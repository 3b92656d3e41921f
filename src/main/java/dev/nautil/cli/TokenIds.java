package dev.nautil.cli;

import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Token ids as an option gives them: 1,2,3. */
record TokenIds(int[] ids) {
  static final class Converter implements ITypeConverter<TokenIds> {
    @Override
    public TokenIds convert(String text) {
      String[] parts = text.strip().split("\\s*,\\s*");
      int[] ids = new int[parts.length];
      for (int i = 0; i < ids.length; i++) {
        try {
          ids[i] = Integer.parseInt(parts[i]);
        } catch (NumberFormatException e) {
          throw new TypeConversionException("\"" + parts[i] + "\" is no token id");
        }
      }
      return new TokenIds(ids);
    }
  }
}
