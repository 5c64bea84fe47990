/** As much of Vitest's project as it needs. */
interface Project {
  provide(name: "mailServers", value: string): void;
}

export default function setup(project: Project): Promise<() => Promise<void>>;
