import type { AppImage } from "./image.ts";

/** The parts of App Platform's spec that are written and read. */
export interface Env {
  readonly key: string;
  readonly value?: string;
  readonly scope?: string;
  readonly type?: "GENERAL" | "SECRET";
}

export interface Check {
  readonly http_path?: string;
  readonly port?: number;
  readonly initial_delay_seconds?: number;
  readonly period_seconds?: number;
  readonly timeout_seconds?: number;
  readonly success_threshold?: number;
  readonly failure_threshold?: number;
}

export interface Repository {
  readonly repo: string;
  readonly branch?: string;
  readonly deploy_on_push?: boolean;
}

export interface Alert {
  readonly rule: string;
  readonly operator?: "GREATER_THAN" | "LESS_THAN";
  readonly window?: string;
  readonly value?: number;
  readonly disabled?: boolean;
}

export interface Component {
  readonly name: string;
  readonly image?: AppImage & { readonly registry_credentials?: string };
  readonly github?: Repository;
  readonly gitlab?: Repository;
  readonly bitbucket?: Repository;
  readonly git?: { readonly repo_clone_url: string; readonly branch?: string };
  readonly build_command?: string;
  readonly run_command?: string;
  readonly dockerfile_path?: string;
  readonly source_dir?: string;
  readonly environment_slug?: string;
  readonly envs?: readonly Env[];
  readonly instance_count?: number;
  readonly instance_size_slug?: string;
  readonly log_destinations?: readonly object[];
  readonly alerts?: readonly Alert[];
  readonly autoscaling?: {
    readonly min_instance_count?: number;
    readonly max_instance_count?: number;
    readonly metrics?: { readonly cpu?: { readonly percent?: number } };
  };
  readonly termination?: { readonly drain_seconds?: number; readonly grace_period_seconds?: number };
}

export interface Service extends Component {
  readonly http_port?: number;
  readonly internal_ports?: readonly number[];
  readonly protocol?: "HTTP" | "HTTP2";
  readonly health_check?: Check;
  readonly liveness_health_check?: Check;
  readonly routes?: readonly { readonly path?: string; readonly preserve_path_prefix?: boolean }[];
}

export interface JobSpec extends Component {
  readonly kind?: string;
  readonly schedule?: { readonly cron?: string; readonly time_zone?: string };
}

export interface Site extends Component {
  readonly output_dir?: string;
  readonly index_document?: string;
  readonly error_document?: string;
  readonly catchall_document?: string;
}

export interface Cors {
  readonly allow_origins?: readonly { readonly exact?: string; readonly prefix?: string; readonly regex?: string }[];
  readonly allow_methods?: readonly string[];
  readonly allow_headers?: readonly string[];
  readonly expose_headers?: readonly string[];
  readonly allow_credentials?: boolean;
  readonly max_age?: string;
}

export interface IngressRule {
  readonly match?: { readonly path?: { readonly prefix?: string } };
  /** The API's description calls the flag a text; it is given as a boolean, and taken in both forms. */
  readonly component?: { readonly name: string; readonly preserve_path_prefix?: boolean | "true" | "false" };
  readonly cors?: Cors;
}

export interface DomainSpec {
  readonly domain: string;
  readonly type?: string;
  readonly wildcard?: boolean;
  readonly zone?: string;
  readonly certificate?: string;
  readonly minimum_tls_version?: string;
}

export interface AppSpec {
  readonly name: string;
  readonly region?: string;
  readonly services?: readonly Service[];
  readonly workers?: readonly Component[];
  readonly jobs?: readonly JobSpec[];
  readonly static_sites?: readonly Site[];
  readonly domains?: readonly DomainSpec[];
  readonly ingress?: { readonly rules?: readonly IngressRule[]; readonly load_balancer?: string };
  readonly egress?: { readonly type?: "AUTOASSIGN" | "DEDICATED_IP" };
  readonly maintenance?: { readonly enabled?: boolean; readonly archive?: boolean; readonly offline_page_url?: string };
  readonly vpc?: { readonly id?: string };
  readonly features?: readonly string[];
  readonly alerts?: readonly Alert[];
  readonly disable_edge_cache?: boolean;
  readonly disable_email_obfuscation?: boolean;
  readonly enhanced_threat_control_enabled?: boolean;
}
