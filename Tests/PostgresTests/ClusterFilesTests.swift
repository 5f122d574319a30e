import FoundationEssentials
import Glibc
import Testing

@testable import Postgres

/// Where the private cluster stands, above all when the portal is started as root.
@Suite("The private cluster’s directories")
struct ClusterFilesTests {
    private static let isRoot = geteuid() == 0

    private func withDirectory(mode: mode_t, _ body: (String) throws -> Void) throws {
        let parent = "/tmp/portal-files-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: parent) }
        #expect(chmod(parent, mode) == 0)
        try body("\(parent)/postgres")
    }

    private func owner(of path: String) -> (user: uid_t, mode: mode_t) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return (.max, 0) }
        return (status.st_uid, status.st_mode & 0o7777)
    }

    @Test(
        "below a directory that the server’s user may not enter stand under /var/lib, always at the same place",
        .enabled(if: isRoot))
    func fallsBack() throws {
        let user = try ServerUser.current()
        #expect(user.mustSwitch && user.id != 0)
        try withDirectory(mode: 0o700) { wanted in
            let files = try ClusterFiles.prepare(wanted, for: user)
            defer { try? FileManager.default.removeItem(atPath: files.home) }
            #expect(files.home == "/var/lib/marketing-portal/\(ClusterFiles.shortHash(wanted))")
            #expect(try ClusterFiles.prepare(wanted, for: user) == files)
            #expect(owner(of: files.home) == (user.id, 0o700))
            #expect(!FileManager.default.fileExists(atPath: wanted))
        }
    }

    @Test("stay where they were asked for when the server’s user can get there", .enabled(if: isRoot))
    func staysWhereItMay() throws {
        let user = try ServerUser.current()
        try withDirectory(mode: 0o711) { wanted in
            let files = try ClusterFiles.prepare(wanted, for: user)
            #expect(files.home == wanted)
            #expect(owner(of: wanted) == (user.id, 0o700))
            #expect(owner(of: files.socket) == (user.id, 0o700))
        }
    }

    @Test("that belong to somebody else are refused by a portal that is not root", .enabled(if: isRoot))
    func refusesForeignDirectories() throws {
        let nobody = ServerUser(id: 65_533, group: 65_533, mustSwitch: false)
        try withDirectory(mode: 0o755) { wanted in
            #expect(throws: EmbeddedPostgresError.self) { try ClusterFiles.prepare(wanted, for: nobody) }
        }
    }

    @Test("have their socket under /tmp when their own path is too long for one")
    func shortensSockets() {
        let long = "/var/" + String(repeating: "x", count: 120)
        #expect(ClusterFiles(home: "/srv/portal/var/postgres").socket == "/srv/portal/var/postgres/socket")
        #expect(ClusterFiles(home: long).socket == "/tmp/portal-postgres-\(ClusterFiles.shortHash(long))")
        #expect(ClusterFiles.shortHash(long) != ClusterFiles.shortHash(long + "y"))
    }
}
