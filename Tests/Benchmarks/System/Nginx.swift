import Glibc
import TestSupport

/// The target: one process of Debian's nginx that answers every request with 200 and an empty body.
final class Nginx: Sendable {
    static let path = "/usr/sbin/nginx"

    let port: Int
    private let program: ChildProgram

    init(folder: String) throws {
        guard access(Self.path, X_OK) == 0 else {
            throw Bench.Failure(description: "\(Self.path) does not exist; run: apt-get install nginx-light")
        }
        port = try FreePort.take()
        let configuration = """
            daemon off;
            master_process off;
            worker_rlimit_nofile 20000;
            pid \(folder)/nginx.pid;
            error_log \(folder)/nginx.log warn;
            events { worker_connections 10000; }
            http {
                access_log off;
                keepalive_requests 1000000000;
                keepalive_timeout 600s;
                client_body_temp_path \(folder)/body;
                proxy_temp_path \(folder)/proxy;
                fastcgi_temp_path \(folder)/fastcgi;
                uwsgi_temp_path \(folder)/uwsgi;
                scgi_temp_path \(folder)/scgi;
                server { listen 127.0.0.1:\(port) backlog=4096; location / { return 200; } }
            }
            """
        let file = folder + "/nginx.conf"
        try TextOutput.write(configuration, to: file)
        program = try ChildProgram(Self.path, ["-p", folder, "-c", file], output: folder + "/nginx.out")
        for _ in 0..<200 where !FreePort.answers(port) { usleep(10_000) }
        guard FreePort.answers(port) else { throw Bench.Failure(description: "nginx does not start: \(program.text)") }
    }

    var url: String { "http://127.0.0.1:\(port)/" }
    var pid: Int32 { program.pid }
}
