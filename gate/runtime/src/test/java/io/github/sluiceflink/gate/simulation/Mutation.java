package io.github.sluiceflink.gate.simulation;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/**
 * A change to the sources that ship, compiled in memory and loaded beside them. So nothing of it is
 * in what ships, and nobody else in this JVM sees it.
 */
final class Mutation {

  private static final String PACKAGE = "io.github.sluiceflink.gate.";
  private static final Path SOURCES =
      Path.of("src", "main", "java", "io", "github", "sluiceflink", "gate", "handover");

  private final Map<String, String> changed = new HashMap<>();

  /** In this class, what stands once becomes something else. White space does not matter. */
  Mutation with(String type, String from, String to) {
    String source = changed.computeIfAbsent(type, Mutation::read);
    String anySpace =
        List.of(from.trim().split("\\s+")).stream()
            .map(Pattern::quote)
            .collect(Collectors.joining("\\s+"));
    Matcher matcher = Pattern.compile(anySpace).matcher(source);
    if (!matcher.find()) {
      throw new AssertionError(
          type + " has no \"" + from + "\" any more: change the mutation, too");
    }
    String mutated = source.substring(0, matcher.start()) + to + source.substring(matcher.end());
    if (matcher.find()) {
      throw new AssertionError(type + " has \"" + from + "\" twice: say more of it");
    }
    changed.put(type, mutated);
    return this;
  }

  private static String read(String type) {
    try {
      return Files.readString(SOURCES.resolve(type + ".java"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What plays the world of a seed, with the mutated classes. */
  @SuppressWarnings("unchecked")
  LongFunction<String> player(Wrong wrong) {
    try {
      Class<?> player = new Loader(compiled()).loadClass(Player.class.getName());
      return (LongFunction<String>)
          player.getDeclaredConstructor(String.class).newInstance(wrong.name());
    } catch (ReflectiveOperationException e) {
      throw new AssertionError(e);
    }
  }

  private Map<String, byte[]> compiled() {
    Map<String, ByteArrayOutputStream> classes = new HashMap<>();
    if (!changed.isEmpty()) {
      JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
      List<JavaFileObject> sources = new ArrayList<>();
      changed.forEach((type, text) -> sources.add(new Source(type, text)));
      JavaFileManager files =
          new Memory(compiler.getStandardFileManager(null, null, null), classes);
      List<String> options =
          List.of("-proc:none", "-nowarn", "-classpath", System.getProperty("java.class.path"));
      if (!compiler.getTask(null, files, null, options, null, sources).call()) {
        throw new AssertionError("the mutated source cannot be compiled");
      }
    }
    Map<String, byte[]> bytes = new HashMap<>();
    classes.forEach((name, one) -> bytes.put(name, one.toByteArray()));
    return bytes;
  }

  /** A mutated source. */
  private static final class Source extends SimpleJavaFileObject {
    private final String text;

    Source(String type, String text) {
      super(
          URI.create("string:///" + PACKAGE.replace('.', '/') + "handover/" + type + ".java"),
          Kind.SOURCE);
      this.text = text;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }

  /** Keeps the compiled classes. */
  private static final class Memory extends ForwardingJavaFileManager<JavaFileManager> {
    private final Map<String, ByteArrayOutputStream> classes;

    Memory(JavaFileManager files, Map<String, ByteArrayOutputStream> classes) {
      super(files);
      this.classes = classes;
    }

    @Override
    public JavaFileObject getJavaFileForOutput(
        Location location, String name, JavaFileObject.Kind kind, FileObject sibling) {
      URI uri = URI.create("string:///" + name.replace('.', '/') + kind.extension);
      return new SimpleJavaFileObject(uri, kind) {
        @Override
        public OutputStream openOutputStream() {
          ByteArrayOutputStream bytes = new ByteArrayOutputStream();
          classes.put(name, bytes);
          return bytes;
        }
      };
    }
  }

  /** Loads the protocol and the simulation anew. */
  private static final class Loader extends ClassLoader {
    private final Map<String, byte[]> mutated;

    Loader(Map<String, byte[]> mutated) {
      super(Mutation.class.getClassLoader());
      this.mutated = mutated;
    }

    @Override
    protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
      if (!name.startsWith(PACKAGE)) {
        return super.loadClass(name, resolve);
      }
      synchronized (getClassLoadingLock(name)) {
        Class<?> loaded = findLoadedClass(name);
        return loaded == null ? define(name) : loaded;
      }
    }

    private Class<?> define(String name) throws ClassNotFoundException {
      byte[] bytes = mutated.get(name);
      if (bytes == null) {
        try (InputStream in = getResourceAsStream(name.replace('.', '/') + ".class")) {
          if (in == null) {
            throw new ClassNotFoundException(name);
          }
          bytes = in.readAllBytes();
        } catch (IOException e) {
          throw new ClassNotFoundException(name, e);
        }
      }
      return defineClass(name, bytes, 0, bytes.length);
    }
  }
}
