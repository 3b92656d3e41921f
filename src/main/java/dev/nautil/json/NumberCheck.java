package dev.nautil.json;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.exc.InputCoercionException;
import com.fasterxml.jackson.core.util.JsonParserDelegate;
import java.io.IOException;

/** Refuses numbers that Jackson would take as others: infinite ones, and bytes without a sign. */
final class NumberCheck extends JsonParserDelegate {
  NumberCheck(JsonParser parser) {
    super(parser);
  }

  @Override
  public double getDoubleValue() throws IOException {
    double value = super.getDoubleValue();
    require(Double.isFinite(value), double.class);
    return value;
  }

  @Override
  public float getFloatValue() throws IOException {
    float value = super.getFloatValue();
    require(Float.isFinite(value), float.class);
    return value;
  }

  @Override
  public byte getByteValue() throws IOException {
    int value = super.getIntValue();
    require(value == (byte) value, byte.class);
    return (byte) value;
  }

  private void require(boolean holds, Class<?> type) throws IOException {
    if (!holds) {
      throw new InputCoercionException(
          this, getText() + " is out of the range of " + type, currentToken(), type);
    }
  }
}
