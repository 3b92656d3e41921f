package dev.nautil.internal;

import dev.nautil.Sampling;
import dev.nautil.internal.bindings.Nautil;
import dev.nautil.internal.bindings.NtSampling;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;

/**
 * How the tokens of one generation are chosen: the parameters as the core has them, and what they
 * need of the tokens before. The core reads its buffers in place, so that a step copies none.
 *
 * <p>Used by one thread at a time.
 */
public final class SamplingRow {
  /** The core's stages, by the ordinal of the Java ones. */
  private static final byte[] STAGES = {
    (byte) Nautil.NT_STAGE_PENALTIES,
    (byte) Nautil.NT_STAGE_DRY,
    (byte) Nautil.NT_STAGE_TOP_N_SIGMA,
    (byte) Nautil.NT_STAGE_TOP_K,
    (byte) Nautil.NT_STAGE_TYPICAL,
    (byte) Nautil.NT_STAGE_TOP_P,
    (byte) Nautil.NT_STAGE_MIN_P,
    (byte) Nautil.NT_STAGE_XTC,
    (byte) Nautil.NT_STAGE_TEMPERATURE
  };

  final ByteBuffer memory = Struct.buffer(Struct.size(NtSampling.class));
  private final NtSampling struct = new NtSampling(new Pointer(memory));
  private final boolean hasHistory;
  private IntBuffer history = ints(0);

  /** What the struct points to lives as long as this does. */
  private final List<java.nio.Buffer> kept;

  /**
   * @param prompt tokens before the first one that is chosen; copied
   * @param breakers direct, a bit a token of the vocabulary; null for none
   * @param exempt tokens that XTC does not exclude
   */
  public SamplingRow(
      Sampling sampling, long seed, int[] prompt, @Nullable LongBuffer breakers, int[] exempt) {
    Nautil.nt_sampling_init(struct);
    struct.seed(seed);
    setNarrowing(sampling);
    setPenalties(sampling);
    for (int i = 0; i < sampling.order().size(); i++) {
      struct.order(i, STAGES[sampling.order().get(i).ordinal()]);
    }
    IntBuffer exempted = ints(exempt.length).put(0, exempt);
    struct.xtc_exempt(exempted).n_xtc_exempt(exempt.length);
    if (breakers != null) {
      struct.dry_breakers(breakers);
    }
    Map<Integer, Float> biases = sampling.logitBias();
    IntBuffer tokens = ints(biases.size());
    FloatBuffer values = Struct.buffer(biases.size() * Float.BYTES).asFloatBuffer();
    biases.forEach(
        (token, bias) -> {
          tokens.put(token);
          values.put(bias);
        });
    struct.bias_tokens(tokens.flip()).biases(values.flip()).n_biases(biases.size());
    kept =
        breakers == null
            ? List.of(exempted, tokens, values)
            : List.of(exempted, tokens, values, breakers);
    hasHistory = sampling.penalties().isPresent() || sampling.dry().isPresent();
    append(prompt);
  }

  private void setNarrowing(Sampling sampling) {
    struct
        .temperature(sampling.temperature())
        .top_k(sampling.topK())
        .top_p(sampling.topP())
        .min_p(sampling.minP())
        .typical_p(sampling.typicalP())
        .top_n_sigma(sampling.topNSigma());
    sampling
        .dynamicTemperature()
        .ifPresent(t -> struct.temperature_range(t.range()).temperature_exponent(t.exponent()));
    sampling
        .xtc()
        .ifPresent(x -> struct.xtc_probability(x.probability()).xtc_threshold(x.threshold()));
    sampling
        .mirostat()
        .ifPresent(
            m -> struct.mirostat_tau(m.tau()).mirostat_eta(m.eta()).mirostat_mu(2.0 * m.tau()));
  }

  private void setPenalties(Sampling sampling) {
    sampling
        .penalties()
        .ifPresent(
            p ->
                struct
                    .repeat_penalty(p.repeat())
                    .frequency_penalty(p.frequency())
                    .presence_penalty(p.presence())
                    .penalty_last_n(p.lastTokens()));
    sampling
        .dry()
        .ifPresent(
            d ->
                struct
                    .dry_multiplier(d.multiplier())
                    .dry_base(d.base())
                    .dry_allowed_length(d.allowedLength())
                    .dry_last_n(d.lastTokens()));
  }

  /** The tokens that come next in the history. */
  public void append(int... tokens) {
    if (!hasHistory || tokens.length == 0) {
      return;
    }
    int length = history.position();
    if (history.remaining() < tokens.length) {
      IntBuffer larger = ints(Math.addExact(length + tokens.length, length / 2 + 256));
      history = larger.put(history.flip());
      struct.history(history.duplicate().rewind());
    }
    history.put(tokens);
    struct.n_history(length + tokens.length);
  }

  private static IntBuffer ints(int count) {
    return Struct.buffer(Math.multiplyExact(count, Integer.BYTES)).asIntBuffer();
  }
}
