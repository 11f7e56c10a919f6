import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.util.Date;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.quartz.CronScheduleBuilder;
import org.quartz.Job;
import org.quartz.JobBuilder;
import org.quartz.JobDetail;
import org.quartz.JobExecutionContext;
import org.quartz.Scheduler;
import org.quartz.Trigger;
import org.quartz.TriggerBuilder;
import org.quartz.impl.StdSchedulerFactory;
import org.quartz.utils.ConnectionProvider;

/**
 * Quartz 2 with a number of triggers `* * * * * ?`. Each makes a POST to the target and writes a history row.
 *
 * <p>usage: QuartzPeer JDBC_URL USER TARGET_URL JOBS memory|postgres
 *
 * <p>20 threads, and 20 triggers acquired at a time, as the documentation recommends for many short jobs. Clustered if the jobs are
 * in PostgreSQL, so that they survive a restart. No update check; misfires are ignored.
 */
public class QuartzPeer {
    static final int THREADS = 20;
    static HikariDataSource database;
    static String target;

    public static void main(String[] words) throws Exception {
        boolean isDurable = words[4].equals("postgres");
        int jobs = Integer.parseInt(words[3]);
        target = words[2];
        System.setProperty("http.maxConnections", "" + THREADS);
        HikariConfig pool = new HikariConfig();
        pool.setJdbcUrl(words[0]);
        pool.setUsername(words[1]);
        pool.setMaximumPoolSize(THREADS + 4);
        database = new HikariDataSource(pool);

        Properties settings = new Properties();
        settings.put("org.quartz.scheduler.instanceName", "peer");
        settings.put("org.quartz.scheduler.instanceId", "AUTO");
        settings.put("org.quartz.scheduler.skipUpdateCheck", "true");
        settings.put("org.quartz.scheduler.batchTriggerAcquisitionMaxCount", "" + THREADS);
        settings.put("org.quartz.threadPool.class", "org.quartz.simpl.SimpleThreadPool");
        settings.put("org.quartz.threadPool.threadCount", "" + THREADS);
        settings.put("org.quartz.jobStore.misfireThreshold", "60000");
        if (isDurable) {
            makeTables();
            settings.put("org.quartz.jobStore.class", "org.quartz.impl.jdbcjobstore.JobStoreTX");
            settings.put("org.quartz.jobStore.driverDelegateClass", "org.quartz.impl.jdbcjobstore.PostgreSQLDelegate");
            settings.put("org.quartz.jobStore.dataSource", "pool");
            settings.put("org.quartz.jobStore.isClustered", "true");
            settings.put("org.quartz.jobStore.acquireTriggersWithinLock", "true");
            settings.put("org.quartz.dataSource.pool.connectionProvider.class", "QuartzPeer$Pool");
        } else {
            settings.put("org.quartz.jobStore.class", "org.quartz.simpl.RAMJobStore");
        }
        Scheduler scheduler = new StdSchedulerFactory(settings).getScheduler();
        Map<JobDetail, Set<? extends Trigger>> all = new HashMap<>();
        for (int number = 0; number < jobs; number++) {
            JobDetail job = JobBuilder.newJob(Call.class).withIdentity("" + number).build();
            CronScheduleBuilder schedule =
                CronScheduleBuilder.cronSchedule("* * * * * ?").withMisfireHandlingInstructionDoNothing();
            all.put(job, Set.of(TriggerBuilder.newTrigger().withIdentity("" + number).withSchedule(schedule).build()));
        }
        scheduler.scheduleJobs(all, true);
        scheduler.start();
        System.out.println("ready");
        System.out.flush();
        Thread.currentThread().join();
    }

    static void makeTables() throws Exception {
        try (InputStream file =
                StdSchedulerFactory.class.getResourceAsStream("/org/quartz/impl/jdbcjobstore/tables_postgres.sql");
            Connection connection = database.getConnection();
            Statement statement = connection.createStatement()) {
            statement.execute(new String(file.readAllBytes(), StandardCharsets.UTF_8));
        }
    }

    /** The job that a trigger starts. */
    public static class Call implements Job {
        static final byte[] BODY = "x".repeat(100).getBytes();

        public void execute(JobExecutionContext context) {
            try {
                Date due = context.getScheduledFireTime();
                long started = now();
                HttpURLConnection call = (HttpURLConnection) new URL(target).openConnection();
                call.setRequestMethod("POST");
                call.setDoOutput(true);
                call.setFixedLengthStreamingMode(BODY.length);
                call.getOutputStream().write(BODY);
                int status = call.getResponseCode();
                try (InputStream body = call.getInputStream()) {
                    body.readAllBytes();
                }
                record(Integer.parseInt(context.getJobDetail().getKey().getName()), due.getTime() * 1000, started, now(), status);
            } catch (Exception problem) {
                problem.printStackTrace();
            }
        }

        static void record(int job, long due, long started, long ended, int status) throws SQLException {
            try (Connection connection = database.getConnection();
                PreparedStatement row =
                    connection.prepareStatement(
                        "INSERT INTO peer_history (job_id, scheduled_time, actual_start_time, finished_at, status, http_status,"
                            + " duration_ms, drift_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")) {
                row.setInt(1, job);
                row.setTimestamp(2, timestamp(due));
                row.setTimestamp(3, timestamp(started));
                row.setTimestamp(4, timestamp(ended));
                row.setString(5, status >= 200 && status < 300 ? "SUCCESS" : "FAILED");
                row.setInt(6, status);
                row.setDouble(7, (ended - started) / 1000.0);
                row.setDouble(8, (started - due) / 1000.0);
                row.executeUpdate();
            }
        }

        /** Microseconds since 1970. */
        static long now() {
            java.time.Instant now = java.time.Instant.now();
            return now.getEpochSecond() * 1_000_000 + now.getNano() / 1_000;
        }

        static Timestamp timestamp(long microseconds) {
            Timestamp time = new Timestamp(microseconds / 1_000);
            time.setNanos((int) (microseconds % 1_000_000) * 1_000);
            return time;
        }
    }

    /** Makes Quartz use the same connection pool. */
    public static class Pool implements ConnectionProvider {
        public Connection getConnection() throws SQLException {
            return database.getConnection();
        }

        public void shutdown() {}

        public void initialize() {}
    }
}
