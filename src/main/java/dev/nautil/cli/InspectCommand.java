package dev.nautil.cli;

import dev.nautil.GgufException;
import dev.nautil.MemoryEstimate;
import dev.nautil.StoredModel;
import dev.nautil.UnsupportedModelException;
import dev.nautil.engine.ModelFile;
import dev.nautil.internal.ContextParams;
import dev.nautil.internal.NativeFile;
import dev.nautil.internal.TensorInfo;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code nautil inspect}. */
@Command(
    name = "inspect",
    description = {
      "Shows what a GGUF file holds, whatever its architecture, and what memory the model takes here.",
      "Of a model of the store or a registry also its licence and what else came with it."
    },
    sortOptions = false)
final class InspectCommand implements Callable<Integer> {
  private final Io io;

  @Spec private CommandSpec spec;
  @Mixin private StandardOptions standard;

  @Parameters(
      paramLabel = "MODEL",
      description = "A GGUF file (of a split model, the first), a reference or an id.")
  private String model;

  @Option(
      names = "--remote",
      description = "Asks the registry, and fetches no more than the file's header.")
  private boolean remote;

  @Option(names = "--plain-http", description = "With --remote: without TLS.")
  private boolean plainHttp;

  @Option(
      names = "--json",
      description =
          "Prints {\"metadata\", \"tensors\", \"tensor_types\", \"parameters\", \"file_bytes\","
              + " \"memory\", …} with all values; NaN and infinities are strings.")
  private boolean json;

  @Option(names = "--tensor", paramLabel = "NAME", description = "Shows a tensor's values, too.")
  private @Nullable String tensor;

  @Option(
      names = "--rows",
      paramLabel = "A:B",
      converter = Rows.Converter.class,
      description =
          "Only the tensor's rows from A up to, not including, B, counted over all its outer"
              + " dimensions.")
  private @Nullable Rows rows;

  @Option(
      names = "--ctx-size",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Tokens of the context that memory is told for; 0, the default: its publisher's or the"
              + " model's own limit, as far as memory allows.")
  private int contextSize;

  @Mixin private KvTypeOption kvType;

  InspectCommand(Io io) {
    this.io = io;
  }

  /** Rows from the first up to, not including, the last. */
  record Rows(long first, long last) {
    static final class Converter implements ITypeConverter<Rows> {
      @Override
      public Rows convert(String text) {
        try {
          String[] ends = text.split(":", -1);
          if (ends.length == 2) {
            long first = ends[0].isEmpty() ? 0 : Long.parseLong(ends[0]);
            long last = ends[1].isEmpty() ? Long.MAX_VALUE : Long.parseLong(ends[1]);
            if (0 <= first && first <= last) {
              return new Rows(first, last);
            }
          }
        } catch (NumberFormatException e) {
          // Told below.
        }
        throw new TypeConversionException("\"" + text + "\" is not like 0:4, :4 or 4:");
      }
    }
  }

  @Override
  public Integer call() throws IOException {
    if (rows != null && tensor == null) {
      throw new ParameterException(spec.commandLine(), "--rows needs --tensor");
    }
    if (contextSize < 0) {
      throw new ParameterException(
          spec.commandLine(),
          "--ctx-size is " + contextSize + "; it must be 0 (the model's own) or more");
    }
    if (remote) {
      if (tensor != null) {
        throw new ParameterException(
            spec.commandLine(),
            "--tensor needs the weights: leave out --remote, after nautil pull");
      }
      RemoteInspection.of(io, model, plainHttp, this::print);
      return 0;
    }
    ModelArgument named = ModelArgument.here(io, model);
    try (NativeFile file = NativeFile.open(named.path(), false)) {
      print(file, named.stored());
    }
    return 0;
  }

  private void print(NativeFile file, @Nullable StoredModel stored) throws IOException {
    TensorRows values = tensor == null ? null : select(file, tensor);
    Inspected inspected = new Inspected(file, stored, estimate(file, stored), values);
    if (json) {
      FileJson.print(io, inspected);
    } else {
      FileSummary.print(io, inspected);
    }
  }

  /** What the model takes, or null where the file holds none that runs here. */
  private @Nullable MemoryEstimate estimate(NativeFile file, @Nullable StoredModel stored) {
    Integer published = stored == null ? null : stored.contextSize();
    try {
      return ModelFile.estimate(
          file,
          0,
          new ContextParams(contextSize, 1, 0, false, false, kvType.type(), true),
          published == null ? 0 : published,
          false);
    } catch (UnsupportedModelException | GgufException e) {
      return null;
    }
  }

  private TensorRows select(NativeFile file, String name) {
    List<TensorInfo> tensors = file.tensors();
    for (int i = 0; i < tensors.size(); i++) {
      TensorInfo info = tensors.get(i);
      if (info.name().equals(name)) {
        long count = info.elements() / info.shape()[0];
        Rows wanted = rows == null ? new Rows(0, count) : rows;
        long last = wanted.last == Long.MAX_VALUE ? count : wanted.last;
        if (last > count || wanted.first > last) {
          throw new Failure(
              file.path()
                  + ": "
                  + name
                  + " has rows 0:"
                  + count
                  + ", not "
                  + wanted.first
                  + ":"
                  + last);
        }
        return new TensorRows(file, i, info, wanted.first, last);
      }
    }
    throw new Failure(file.path() + ": there is no tensor " + name);
  }
}
