package dev.nautil.template;

import java.util.List;
import java.util.Map;

/** One rendering: where it stands, what it has written, what it may still spend. */
final class Run extends Budget {
  final Map<String, Object> context;
  final Scope root;
  Scope scope;
  StrBuilder out;

  /** The template line being executed, for errors. */
  int line = 1;

  Run(RenderOptions options, Map<String, Object> context, long contextChars, Frame frame) {
    super(options);
    allowFor(contextChars);
    this.context = context;
    this.root = new Scope(null, frame);
    this.scope = root;
    this.out = StrBuilder.output(this, options.maxOutput() + 4 * contextChars);
  }

  Object variable(String name) {
    Object value = scope.get(name);
    if (value == Scope.MISSING) {
      return new Undefined("'" + name + "' is undefined");
    }
    if (value == null) {
      value = context.get(name);
    }
    if (value == null) {
      value = Globals.ALL.get(name);
    }
    return value != null ? value : new Undefined("'" + name + "' is undefined");
  }

  /** Runs a body in a scope of its own and returns what it wrote. */
  Str capture(Scope inner, List<Stmt> body) {
    Scope outerScope = scope;
    StrBuilder outer = out;
    scope = inner;
    out = new StrBuilder(this);
    Stmt.run(this, body);
    Str result = out.toStr();
    scope = outerScope;
    out = outer;
    return result;
  }
}
