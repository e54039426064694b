package io.github.sluiceflink.gate.agent;

import static net.bytebuddy.matcher.ElementMatchers.is;
import static net.bytebuddy.matcher.ElementMatchers.named;
import static net.bytebuddy.matcher.ElementMatchers.takesArgument;
import static net.bytebuddy.matcher.ElementMatchers.takesArguments;

import java.lang.instrument.Instrumentation;
import net.bytebuddy.agent.builder.AgentBuilder;
import net.bytebuddy.asm.Advice;
import net.bytebuddy.description.method.MethodDescription;
import net.bytebuddy.dynamic.DynamicType;
import net.bytebuddy.matcher.ElementMatcher;
import net.bytebuddy.utility.JavaModule;

/** What the JVM calls for {@code -javaagent:bluegreen-agent.jar}, before the main method. */
public final class GateAgent {

  private static final String GRAPH = "org.apache.flink.streaming.api.graph.";
  private static final String ENVIRONMENT =
      "org.apache.flink.streaming.api.environment.StreamExecutionEnvironment";
  private static final String BLOB_KEY = "org.apache.flink.runtime.blob.BlobKey";
  private static final String SQL_SINK =
      "org.apache.flink.table.planner.plan.nodes.exec.common.CommonExecSink";

  private GateAgent() {}

  /**
   * Arranges that five classes of Flink are changed when they are loaded; loads none of them.
   *
   * @param arguments not used: everything is configured in Flink's configuration
   * @param instrumentation the JVM's
   */
  public static void premain(String arguments, Instrumentation instrumentation) {
    // A copy of Flink in another class loader is out of the hooks' reach, and so is left alone.
    ElementMatcher<ClassLoader> flinks = is(ClassLoader.getSystemClassLoader());
    new AgentBuilder.Default()
        .disableClassFormatChanges()
        .with(new Complaints())
        .type(named(GRAPH + "StreamGraphGenerator"), flinks)
        .transform(
            (builder, type, loader, module, domain) ->
                advise(
                    builder, GraphGeneratedAdvice.class, named("generate").and(takesArguments(0))))
        .type(named(GRAPH + "StreamGraphHasherV2"), flinks)
        .transform(
            (builder, type, loader, module, domain) ->
                advise(
                    builder,
                    HashesGeneratedAdvice.class,
                    named("traverseStreamGraphAndGenerateHashes").and(takesArguments(1))))
        .type(named(ENVIRONMENT), flinks)
        .transform(
            (builder, type, loader, module, domain) ->
                advise(
                    builder,
                    GraphSubmittedAdvice.class,
                    named("executeAsync").and(takesArgument(0, named(GRAPH + "StreamGraph")))))
        .type(named(BLOB_KEY), flinks)
        .transform(
            (builder, type, loader, module, domain) ->
                advise(builder, BlobKeyAdvice.class, named("createKey").and(takesArguments(2))))
        .type(named(SQL_SINK))
        .transform(
            (builder, type, loader, module, domain) ->
                advise(
                    builder,
                    SqlSinkAdvice.class,
                    named("applySinkProvider")
                        .and(takesArgument(0, named("org.apache.flink.api.dag.Transformation")))))
        .installOn(instrumentation);
  }

  private static DynamicType.Builder<?> advise(
      DynamicType.Builder<?> builder,
      Class<?> advice,
      ElementMatcher<? super MethodDescription> method) {
    return builder.visit(Advice.to(advice).on(method));
  }

  /** Tells people what could not be changed. It cannot use Flink's log, which is not up yet. */
  private static final class Complaints extends AgentBuilder.Listener.Adapter {
    @Override
    public void onError(
        String type, ClassLoader loader, JavaModule module, boolean loaded, Throwable cause) {
      if (type.startsWith(GRAPH) || type.equals(ENVIRONMENT) || type.equals(SQL_SINK)) {
        System.err.println(
            "bluegreen-agent: Flink's class "
                + type
                + " could not be changed, so its jobs may lack gates, and their sinks may not be fork-safe: "
                + cause);
      } else if (type.equals(BLOB_KEY)) {
        System.err.println(
            "bluegreen-agent: Flink's class "
                + type
                + " could not be changed, so without high availability a job whose JobManager is"
                + " killed is refused by the TaskManagers that are left; restart these, too: "
                + cause);
      }
    }
  }
}
