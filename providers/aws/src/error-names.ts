import type { FailureClass } from "@wfctl/plugin-sdk";

/**
 * Every error of AWS that a driver can meet. `service.Name` where a name means something else to one service.
 * "Fault" and "Exception" at the end may be left out.
 */
const names: Readonly<Partial<Record<FailureClass, string>>> = {
  unauthorized: `
    InvalidClientTokenId UnrecognizedClient AuthFailure ExpiredToken SignatureDoesNotMatch InvalidAccessKeyId
    InvalidToken MissingAuthenticationToken IncompleteSignature RequestExpired InvalidSignature TokenRefreshRequired
    CredentialsProviderError TokenProviderError IDPRejectedClaim InvalidIdentityToken ExpiredTokenException
    RequestTimeTooSkewed InvalidSecurity MissingSecurityHeader NotSignedUp`,
  forbidden: `
    AccessDenied UnauthorizedOperation UnauthorizedAccess NotAuthorized AuthorizationError OperationNotPermitted
    AllAccessDisabled AccountProblem 403 Forbidden Blocked OptInRequired ForbiddenException RegionDisabled
    PendingVerification InvalidPaymentMethod BlockedByOrganizationPolicy`,
  rate_limited: `
    Throttling Throttled RequestLimitExceeded TooManyRequests RequestThrottled SlowDown BandwidthLimitExceeded
    APICallRateForCustomerExceeded PriorRequestNotComplete EC2Throttled 429 ThrottledException route53.ThrottlingException`,
  transient: `
    InternalError InternalFailure InternalServerError InternalServiceError InternalServer ServerInternal
    ServiceUnavailable ServiceUnavailableException Unavailable Server ServerException RequestTimeout TimeoutError
    OperationAborted ConcurrentModification ConcurrentUpdate ConcurrentAccess InsufficientInstanceCapacity InsufficientAddressCapacity
    InsufficientFreeAddressesInSubnet ServiceFailure NetworkingError ECONNRESET ECONNREFUSED ECONNABORTED EPIPE
    ENOTFOUND EAI_AGAIN ETIMEDOUT EHOSTUNREACH ENETUNREACH IDPCommunicationError UpdateInProgress
    DBInstanceNotReady acm.RequestInProgress RequestInProgress ConditionalRequestConflict 500 502 503 504
    CapacityReservationUnavailable CapacityReservationPending HealthUnavailable TrustStoreNotReady DependencyTimeout ServiceInternalError InternalService InvalidIdentityTokenTransient`,
  already_exists: `
    EntityAlreadyExists BucketAlreadyExists BucketAlreadyOwnedByYou ResourceAlreadyExists RepositoryAlreadyExists
    DBInstanceAlreadyExists DBSubnetGroupAlreadyExists DBParameterGroupAlreadyExists ReplicationGroupAlreadyExists
    CacheClusterAlreadyExists CacheSubnetGroupAlreadyExists CacheParameterGroupAlreadyExists HostedZoneAlreadyExists
    DuplicateLoadBalancerName DuplicateTargetGroupName DuplicateListener InvalidGroup.Duplicate
    InvalidPermission.Duplicate RouteAlreadyExists Resource.AlreadyAssociated InvalidSubnet.Conflict
    FlowLogAlreadyExists LifecyclePolicyPreviewInProgress apigatewayv2.ConflictException eks.ResourceInUse ConflictingDomainExists
    InvalidKeyPair.Duplicate InvalidVpcEndpoint.Duplicate ConflictException`,
  not_found: `
    NoSuchEntity NoSuchBucket NoSuchKey NoSuchUpload NotFound NoSuchHostedZone NoSuchChange NoSuchHealthCheck NoSuchHealthCheckSource
    ResourceNotFound ClusterNotFound ServiceNotFound ServiceNotActive ServiceNotFoundException TaskSetNotFound
    TargetNotFound DBInstanceNotFound DBSubnetGroupNotFound DBParameterGroupNotFound DBSnapshotNotFound
    DBParameterGroupNotFoundFault ReplicationGroupNotFound CacheClusterNotFound CacheSubnetGroupNotFound
    CacheParameterGroupNotFound RepositoryNotFound LifecyclePolicyNotFound RepositoryPolicyNotFound ImageNotFound
    LoadBalancerNotFound ListenerNotFound RuleNotFound TargetGroupNotFound CertificateNotFound ObjectNotFound
    NoSuchTagSet NoSuchBucketPolicy NoSuchCORSConfiguration NoSuchLifecycleConfiguration NoSuchWebsiteConfiguration
    NoSuchPublicAccessBlockConfiguration ServerSideEncryptionConfigurationNotFoundError OwnershipControlsNotFoundError
    ObjectLockConfigurationNotFoundError ReplicationConfigurationNotFoundError NatGatewayNotFound 404
    VPCAssociationNotFound NoSuchKeySigningKey StateTransitionNotFound`,
  image_missing: "CannotPullContainerError",
  unsupported: "NotImplemented UnsupportedFeature UnknownOperation InvalidAction UnknownAction",
  validation: `
    ValidationError Validation InvalidParameterValue InvalidParameter InvalidParameterCombination InvalidInput
    InvalidArgument InvalidRequest MissingParameter MissingAction UnknownParameter MalformedPolicyDocument
    MalformedQueryString MalformedXML MalformedPolicy MissingRequestBodyError InvalidBucketName InvalidBucketState
    InvalidLocationConstraint IllegalLocationConstraint InvalidTag InvalidTagParameter TagPolicy TooManyTags
    InvalidPolicyDocument PolicyNotAttachable UnmodifiableEntity InvalidUserType LimitExceeded ServiceQuotaExceeded
    VpcLimitExceeded SubnetLimitExceeded InternetGatewayLimitExceeded NatGatewayLimitExceeded RouteTableLimitExceeded
    AddressLimitExceeded SecurityGroupLimitExceeded RulesPerSecurityGroupLimitExceeded
    SecurityGroupsPerInterfaceLimitExceeded NetworkInterfaceLimitExceeded VpcEndpointLimitExceeded
    RouteLimitExceeded TooManyBuckets TooManyHostedZones TooManyCertificates TooManyLoadBalancers TooManyTargetGroups
    TooManyListeners TooManyRules TooManyTargets TooManyRegistrationsForTargetId TooManyActions
    TooManyUniqueTargetGroupsPerLoadBalancer InstanceQuotaExceeded StorageQuotaExceeded DBSubnetGroupQuotaExceeded
    ClusterQuotaForCustomerExceeded NodeQuotaForClusterExceeded NodeQuotaForCustomerExceeded
    NodeGroupsPerReplicationGroupQuotaExceeded ReplicationGroupQuotaExceeded CacheSubnetGroupQuotaExceeded
    CacheSubnetQuotaExceeded DependencyViolation DeleteConflict ResourceInUse OperationNotSupported
    InvalidGroup.InUse InvalidGroup.Reserved InvalidPermission.Malformed InvalidSecurityGroupRuleId.Malformed
    VPCIdNotSpecified DefaultVpcDoesNotExist BucketNotEmpty HostedZoneNotEmpty InvalidChangeBatch InvalidDomainName
    InvalidVPCId ConflictingTypes DelegationSetNotAvailable DelegationSetNotReusable PublicZoneVPCAssociation
    LastVPCAssociation InvalidHostedZone InvalidDBInstanceState InvalidDBSubnetGroupState InvalidDBClusterState
    InvalidVPCNetworkState InvalidSubnet DBSubnetGroupDoesNotCoverEnoughAZs InsufficientDBInstanceCapacity
    KMSKeyNotAccessible StorageTypeNotSupported ProvisionedIopsNotAvailableInAZ InvalidReplicationGroupState
    InvalidCacheClusterState InvalidCacheParameterGroupState InsufficientCacheClusterCapacity CacheSubnetGroupInUse
    DBSubnetGroupNotAllowed DBSecurityGroupNotFound DomainNotFound OptionGroupNotFound AuthorizationNotFound
    InvalidARN ServiceLinkedRoleNotFound NoOperation InvalidKMSKey TestFailover CertificateMismatch
    RepositoryNotEmpty InvalidTagParameterException ImageTagAlreadyExists
    InvalidScheme InvalidSecurityGroup InvalidTarget InvalidLoadBalancerAction InvalidConfigurationRequest
    SubnetNotFound AvailabilityZoneNotSupported AllocationIdNotFound IncompatibleProtocols PriorityInUse
    SSLPolicyNotFound UnsupportedProtocol ALPNPolicyNotSupported TargetGroupAssociationLimit OperationNotPermittedFault
    InvalidState InvalidDomainValidationOptions InvalidArn BadRequest UnprocessableEntity
    FailedResourceAccess ObjectLockConfigurationInvalid
    Client ClusterContainsServices ClusterContainsTasks ClusterContainsCapacityProvider PlatformUnknown
    PlatformTaskDefinitionIncompatibility UnsupportedFeatureException NamespaceNotFound AttributeLimitExceeded
    MissingVersion NoUpdateAvailable
    InvalidCidrBlock InvalidVpcRange InvalidVpc.Range InvalidSubnet.Range InvalidSubnetRange InvalidVpcState
    Gateway.NotAttached InvalidRoute.InvalidState InvalidNatGatewayState InvalidZone InvalidAvailabilityZone
    UnsupportedOperation OperationNotSupportedException CidrConflict InvalidCidr.InUse Resource.Conflict
    IncorrectState IncorrectInstanceState InvalidAddress.Locked InvalidIPAddress.InUse InvalidAllocationID.InUse
    InvalidNetworkAcl.InUse InvalidDhcpOption.Conflict UnsupportedAvailabilityZone PackedPolicyTooLarge
    MalformedPolicyDocumentException PermanentRedirect InvalidRequestContent UnsupportedArgument EntityTemporarilyUnmodifiable
    KeyPairMismatch MalformedCertificate InvalidCertificate InvalidCertificateAuthority InvalidPublicKey
    PolicyEvaluation InvalidNextToken InvalidPaginationToken InvalidContainersInUse UnsupportedUserEdition
    UnsupportedAvailabilityZoneException ResourcePropagationDelay ResourceLimitExceeded OrganizationNotFound
    XAmzContentSHA256Mismatch InvalidDigest BadDigest InvalidRange PreconditionFailed 412 EntityTooLarge MethodNotAllowed 301 400 405 CannotDelete
    ecr.Kms CacheSecurityGroupNotFound UserGroupNotFound NodeGroupNotFound GlobalReplicationGroupNotFound TagNotFound
    TagQuotaPerResourceExceeded SubnetInUse SubnetNotAllowed InvalidUserGroupState InvalidGlobalReplicationGroupState
    SnapshotAlreadyExists SnapshotQuotaExceeded SnapshotFeatureNotSupported
    elbv2.OperationNotPermitted UnsupportedCertificate
    InvalidArgs ClusterContainsContainerInstances InvalidCacheSecurityGroupState InvalidServerlessCacheSnapshotState
    InvalidServerlessCacheState ReservedCacheNodeNotFound ServerlessCacheNotFound ServerlessCacheSnapshotNotFound
    SnapshotNotFound UserNotFound ALPNPolicyNotFound DuplicateTagKeys TrustStoreNotFound BackupPolicyNotFound
    BlueGreenDeploymentNotFound DBCapacityReservationNotFound DBClusterNotFound DBInstanceAutomatedBackupQuotaExceeded
    DBProxyEndpointNotFound DBProxyNotFound DBProxyTargetGroupNotFound DBShardGroupNotFound DBSnapshotAlreadyExists
    DBSnapshotTenantDatabaseNotFound DBSubnetQuotaExceeded DBUpgradeDependencyFailure IntegrationNotFound
    InvalidDBCapacityReservationState InvalidDBClusterEndpointState InvalidDBSecurityGroupState InvalidDBSubnetState
    DBParameterGroupQuotaExceeded InvalidDBParameterGroupState NetworkTypeNotSupported SubnetAlreadyInUse TenantDatabaseNotFound TenantDatabaseQuotaExceeded
    VpcEncryptionControlViolation LimitsExceeded NoSuchDelegationSet`,
};

/** How EC2 ends the names of whole families of errors. */
export const ec2Suffixes: readonly (readonly [string, FailureClass])[] = [
  [".NotFound", "not_found"],
  [".Malformed", "validation"],
  [".Duplicate", "already_exists"],
  [".InUse", "validation"],
  ["LimitExceeded", "validation"],
  ["NotFound", "not_found"],
];

export const errorClasses: ReadonlyMap<string, FailureClass> = new Map(
  Object.entries(names).flatMap(([failureClass, text]) =>
    text
      .split(/\s+/)
      .filter((name) => name !== "")
      .map((name) => [name, failureClass as FailureClass] as const),
  ),
);
