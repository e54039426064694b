package io.github.sluiceflink.gate.twojobs;

import java.util.Arrays;
import org.apache.flink.client.deployment.application.ApplicationClusterEntryPoint;
import org.apache.flink.client.program.DefaultPackagedProgramRetriever;
import org.apache.flink.client.program.PackagedProgram;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.runtime.entrypoint.ClusterEntrypoint;
import org.apache.flink.runtime.resourcemanager.StandaloneResourceManagerFactory;
import org.apache.flink.runtime.util.SignalHandler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A JobManager in application mode: what Flink's StandaloneApplicationClusterEntryPoint does, which
 * is in a module of its own that not every mirror has for Flink 1.20.
 */
public final class JobManagerProcess extends ApplicationClusterEntryPoint {

  private static final Logger LOG = LoggerFactory.getLogger(JobManagerProcess.class);

  private JobManagerProcess(Configuration configuration, PackagedProgram program) {
    super(configuration, program, StandaloneResourceManagerFactory.getInstance());
  }

  /** The directory of the configuration, the class of the program, and the program's arguments. */
  public static void main(String[] arguments) throws Exception {
    SignalHandler.register(LOG);
    Configuration configuration = GlobalConfiguration.loadConfiguration(arguments[0]);
    PackagedProgram program =
        DefaultPackagedProgramRetriever.create(
                null,
                arguments[1],
                Arrays.copyOfRange(arguments, 2, arguments.length),
                configuration)
            .getPackagedProgram();
    configureExecution(configuration, program);
    ClusterEntrypoint.runClusterEntrypoint(new JobManagerProcess(configuration, program));
  }
}
