import Glibc

/// The server's settings, given on its command line so that a new version of the portal brings its own.
struct ClusterOptions {
    /// False for tests alone: nothing survives a crash of the machine.
    var isDurable: Bool = true
    var connections: Int = 100

    func arguments(_ files: ClusterFiles) -> [String] {
        let memory: Int = ClusterOptions.memoryMegabytes
        // A table that takes more than a quarter of the buffers is read past them, page by page from the system, each
        // time somebody asks about everybody: a million people take half a gigabyte. Tests have no such tables.
        let buffers: Int = min(isDurable ? 4096 : 1024, max(64, memory / 8))
        var settings: [(String, String)] = [
            ("listen_addresses", ""),
            ("unix_socket_directories", files.socket),
            ("unix_socket_permissions", "0700"),
            ("max_connections", "\(connections)"),
            ("shared_buffers", "\(buffers)MB"),
            ("effective_cache_size", "\(max(256, memory / 2))MB"),
            ("work_mem", "16MB"),
            ("maintenance_work_mem", "\(min(256, max(64, memory / 16)))MB"),
            ("wal_level", "minimal"),
            ("max_wal_senders", "0"),
            ("wal_compression", "on"),
            ("wal_buffers", "16MB"),
            ("max_wal_size", "4GB"),
            ("min_wal_size", "256MB"),
            ("checkpoint_timeout", "15min"),
            ("autovacuum_naptime", "15s"),
            ("random_page_cost", "1.1"),
            ("effective_io_concurrency", "100"),
            ("jit", "off"),
            ("timezone", "UTC"),
            ("log_timezone", "UTC"),
            ("log_line_prefix", "%m [%p] %a "),
            ("log_min_messages", "warning"),
            ("log_min_error_statement", "panic"),
        ]
        if !isDurable {
            settings += [
                ("fsync", "off"), ("synchronous_commit", "off"), ("full_page_writes", "off"), ("autovacuum", "off"),
            ]
        }
        return ["-D", files.data] + settings.flatMap { ["-c", "\($0.0)=\($0.1)"] }
    }

    private static var memoryMegabytes: Int {
        let pages: Int = sysconf(Int32(_SC_PHYS_PAGES))
        let size: Int = sysconf(Int32(_SC_PAGESIZE))
        return pages > 0 && size > 0 ? pages / 1024 * size / 1024 : 1024
    }
}
