import ArgumentParser
import Core
import Portal

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Make accounts, list them, set passwords.",
        subcommands: [Create.self, List.self, SetPassword.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Make an account that owns a new workspace.")

        @Option(help: "The e-mail address to sign in with.")
        var email: String
        @Option(help: "The person's name.")
        var name: String
        @Option(help: "The name of the workspace.")
        var workspace: String
        @Option(help: "The password. Without it, the first line of standard input is taken.")
        var password: String?

        func run() async throws {
            let (email, name, workspace) = (email, name, workspace)
            let password = password ?? readLine() ?? ""
            do {
                let made = try await CommandSupport.withRuntime { runtime in
                    try await runtime.assembly.accounts.administration.create(
                        email: email, name: name, password: password, workspaceName: workspace)
                }
                guard let made else { throw ValidationError("There is already an account with the address \(email).") }
                print("Made \(email), owner of the workspace “\(workspace)” (\(made)).")
            } catch let errors as ValidationErrors {
                throw ValidationError(errors.entries.map { "\($0.field): \($0.message)" }.joined(separator: "\n"))
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all accounts with their workspaces.")

        func run() async throws {
            let accounts = try await CommandSupport.withRuntime { try await $0.assembly.accounts.administration.list() }
            for account in accounts { print("\(account.email)\t\(account.name)\t\(account.workspaces)") }
        }
    }

    struct SetPassword: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Set somebody's password and end their sessions. The password is read from standard input.")

        @Option(help: "The account's e-mail address.")
        var email: String

        func run() async throws {
            let email = email
            let password = readLine() ?? ""
            do {
                let done = try await CommandSupport.withRuntime {
                    try await $0.assembly.accounts.administration.setPassword(email: email, to: password)
                }
                guard done else { throw ValidationError("There is no account with the address \(email).") }
                print("The password is set.")
            } catch let errors as ValidationErrors {
                throw ValidationError(errors.entries.map(\.message).joined(separator: "\n"))
            }
        }
    }
}
