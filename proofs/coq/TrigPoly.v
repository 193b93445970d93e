(** * Trigonometric polynomials

    A trigonometric polynomial of degree at most [K] is a function
    [x -> sum over k from -K to K of c_k e^(i k x)] with complex coefficients [c_k]. This file
    defines it, together with its real form [sum over k from 0 to K of a_k cos(k x) + b_k sin(k x)],
    and proves what the other files need: the functions form an algebra in which degrees add up,
    the two forms agree, and values are real exactly if [c_(-k)] is the conjugate of [c_k]
    (one half here; the other half, which needs uniqueness of coefficients, is in Unisolvence.v). *)

From Coq Require Import Reals ZArith Lia Lra.
From Coquelicot Require Import Coquelicot.
Local Open Scope C_scope.

(** ** Definitions *)

(** [cis t] is [e^(i t)]. *)
Definition cis (t : R) : C := (cos t, sin t).

(** [Csum n f] is [f 0 + ... + f (n - 1)], of complex numbers; [Rsum] of real ones. *)
Fixpoint Csum (n : nat) (f : nat -> C) : C :=
  match n with
  | 0%nat => 0
  | S m => Csum m f + f m
  end.

Fixpoint Rsum (n : nat) (f : nat -> R) : R :=
  match n with
  | 0%nat => 0%R
  | S m => (Rsum m f + f m)%R
  end.

(** The sum over [k] from [-K] to [K] of [c k * e^(i k x)], in the order [k = j - K]. *)
Definition trig_poly (K : nat) (c : Z -> C) (x : R) : C :=
  Csum (2 * K + 1)
    (fun j => c (Z.of_nat j - Z.of_nat K)%Z * cis (IZR (Z.of_nat j - Z.of_nat K) * x)).

(** The sum over [k] from [0] to [K] of [a k * cos (k x) + b k * sin (k x)]; [b 0] plays no part. *)
Definition rtrig (K : nat) (a b : nat -> R) (x : R) : R :=
  Rsum (S K) (fun k => a k * cos (INR k * x) + b k * sin (INR k * x))%R.

(** ** The exponential [cis] *)

Lemma cis_0 : cis 0 = 1.
Proof. unfold cis. now rewrite cos_0, sin_0. Qed.

Lemma cis_plus s t : cis (s + t) = cis s * cis t.
Proof.
  unfold cis, Cmult. simpl. rewrite cos_plus, sin_plus.
  apply injective_projections; simpl; ring.
Qed.

Lemma cis_opp t : cis (- t) = Cconj (cis t).
Proof. unfold cis, Cconj. simpl. now rewrite cos_neg, sin_neg. Qed.

Lemma Cmod_cis t : Cmod (cis t) = 1%R.
Proof.
  unfold Cmod, cis. cbn [fst snd].
  replace (cos t ^ 2 + sin t ^ 2)%R with 1%R by (generalize (sin2_cos2 t); unfold Rsqr; lra).
  apply sqrt_1.
Qed.

Lemma cis_neq_0 t : cis t <> 0.
Proof. intros E. generalize (Cmod_cis t). rewrite E, Cmod_0. lra. Qed.

Lemma cis_mult_opp t : cis t * cis (- t) = 1.
Proof. rewrite <- cis_plus, Rplus_opp_r. apply cis_0. Qed.

Lemma cos_period_Z t k : cos (t + 2 * IZR k * PI) = cos t.
Proof.
  assert (H : forall s n, cos (s + 2 * INR n * PI) = cos s) by (intros; apply cos_period).
  destruct (Z_le_gt_dec 0 k) as [Hk | Hk].
  - rewrite <- (Z2Nat.id k Hk) at 1. rewrite <- INR_IZR_INZ. apply H.
  - assert (Hk' : (0 <= - k)%Z) by lia.
    rewrite <- (H (t + 2 * IZR k * PI)%R (Z.to_nat (- k))), INR_IZR_INZ, (Z2Nat.id _ Hk'), opp_IZR.
    f_equal. ring.
Qed.

Lemma sin_period_Z t k : sin (t + 2 * IZR k * PI) = sin t.
Proof.
  rewrite <- (cos_shift (t + 2 * IZR k * PI)), <- (cos_shift t).
  replace (PI / 2 - (t + 2 * IZR k * PI))%R with (PI / 2 - t + 2 * IZR (- k) * PI)%R
    by (rewrite opp_IZR; ring).
  apply cos_period_Z.
Qed.

Lemma cis_period_Z t k : cis (t + 2 * IZR k * PI) = cis t.
Proof. unfold cis. now rewrite cos_period_Z, sin_period_Z. Qed.

Lemma cis_2PI : cis (2 * PI) = 1.
Proof. unfold cis. now rewrite cos_2PI, sin_2PI. Qed.

(** [(e^(i t))^n = e^(i n t)]. *)
Fixpoint Cpow (z : C) (n : nat) : C :=
  match n with
  | 0%nat => 1
  | S m => z * Cpow z m
  end.

Lemma cis_pow t n : Cpow (cis t) n = cis (INR n * t).
Proof.
  induction n as [ | n IH]; simpl Cpow.
  - simpl INR. now rewrite Rmult_0_l, cis_0.
  - rewrite IH, <- cis_plus. f_equal. rewrite S_INR. ring.
Qed.

(** ** Conjugation, real and imaginary parts *)

Lemma Cconj_plus z w : Cconj (z + w) = Cconj z + Cconj w.
Proof. unfold Cconj, Cplus. simpl. f_equal. ring. Qed.

Lemma Cconj_opp z : Cconj (- z) = - Cconj z.
Proof. reflexivity. Qed.

Lemma Cconj_minus z w : Cconj (z - w) = Cconj z - Cconj w.
Proof. unfold Cminus. now rewrite Cconj_plus, Cconj_opp. Qed.

Lemma Cconj_mult z w : Cconj (z * w) = Cconj z * Cconj w.
Proof. unfold Cconj, Cmult. simpl. f_equal; ring. Qed.

Lemma Cconj_conj z : Cconj (Cconj z) = z.
Proof. destruct z as [u v]. unfold Cconj. simpl. f_equal. ring. Qed.

Lemma Cconj_R (r : R) : Cconj r = r.
Proof. unfold Cconj, RtoC. simpl. f_equal. ring. Qed.

Lemma Cconj_i : Cconj Ci = - Ci.
Proof. unfold Cconj, Ci, Copp. simpl. f_equal. ring. Qed.

Lemma Cconj_cis t : Cconj (cis t) = cis (- t).
Proof. symmetry. apply cis_opp. Qed.

Lemma Cmod_conj z : Cmod (Cconj z) = Cmod z.
Proof. unfold Cmod, Cconj. simpl. f_equal. ring. Qed.

Lemma Re_plus z w : Re (z + w) = (Re z + Re w)%R.
Proof. reflexivity. Qed.

Lemma Im_plus z w : Im (z + w) = (Im z + Im w)%R.
Proof. reflexivity. Qed.

Lemma Re_scal (r : R) z : Re (r * z) = (r * Re z)%R.
Proof. unfold Re, Cmult, RtoC. simpl. ring. Qed.

Lemma Im_scal (r : R) z : Im (r * z) = (r * Im z)%R.
Proof. unfold Im, Cmult, RtoC. simpl. ring. Qed.

Lemma C_eta z : z = Re z + Ci * Im z.
Proof.
  destruct z as [u v]. unfold Re, Im, Ci, Cplus, Cmult, RtoC. simpl.
  f_equal; ring.
Qed.

Lemma Im_0_conj z : Im z = 0%R <-> Cconj z = z.
Proof.
  destruct z as [u v]. unfold Im, Cconj. simpl. split.
  - intros ->. f_equal. ring.
  - intros E. injection E. lra.
Qed.

Lemma Re_le_Cmod z : (Rabs (Re z) <= Cmod z)%R.
Proof. eapply Rle_trans; [ | apply Rmax_Cmod]. apply Rmax_l. Qed.

(** ** Finite sums *)

Lemma Csum_ext n (f g : nat -> C) : (forall j, (j < n)%nat -> f j = g j) -> Csum n f = Csum n g.
Proof.
  induction n as [ | n IH]; intros H; simpl; [reflexivity | ].
  rewrite IH, H; auto; intros; apply H; lia.
Qed.

Lemma Csum_0 n : Csum n (fun _ => 0) = 0.
Proof. induction n as [ | n IH]; simpl; [reflexivity | ]. rewrite IH. ring. Qed.

Lemma Csum_plus n f g : Csum n (fun j => f j + g j) = Csum n f + Csum n g.
Proof. induction n as [ | n IH]; simpl; [ring | ]. rewrite IH. ring. Qed.

Lemma Csum_minus n f g : Csum n (fun j => f j - g j) = Csum n f - Csum n g.
Proof. induction n as [ | n IH]; simpl; [ring | ]. rewrite IH. ring. Qed.

Lemma Csum_opp n f : Csum n (fun j => - f j) = - Csum n f.
Proof. induction n as [ | n IH]; simpl; [ring | ]. rewrite IH. ring. Qed.

Lemma Csum_scal n z f : Csum n (fun j => z * f j) = z * Csum n f.
Proof. induction n as [ | n IH]; simpl; [ring | ]. rewrite IH. ring. Qed.

Lemma Csum_scal_r n z f : Csum n (fun j => f j * z) = Csum n f * z.
Proof. induction n as [ | n IH]; simpl; [ring | ]. rewrite IH. ring. Qed.

Lemma Csum_conj n f : Cconj (Csum n f) = Csum n (fun j => Cconj (f j)).
Proof.
  induction n as [ | n IH]; simpl; [apply Cconj_R | ].
  now rewrite Cconj_plus, IH.
Qed.

Lemma Csum_shift n f : Csum (S n) f = f 0%nat + Csum n (fun j => f (S j)).
Proof.
  induction n as [ | n IH]; [simpl; ring | ].
  replace (Csum (S (S n)) f) with (Csum (S n) f + f (S n)) by reflexivity.
  rewrite IH. simpl. ring.
Qed.

Lemma Csum_split n m f : Csum (n + m) f = Csum n f + Csum m (fun j => f (n + j)%nat).
Proof.
  induction m as [ | m IH]; [rewrite Nat.add_0_r; simpl; ring | ].
  rewrite Nat.add_succ_r. simpl. rewrite IH. ring.
Qed.

Lemma Csum_rev n f : Csum n f = Csum n (fun j => f (n - 1 - j)%nat).
Proof.
  induction n as [ | n IH]; [reflexivity | ].
  rewrite (Csum_shift n (fun j => f (S n - 1 - j)%nat)). simpl Csum at 1.
  rewrite IH. replace (S n - 1 - 0)%nat with n by lia.
  rewrite (Csum_ext n (fun j => f (S n - 1 - S j)%nat) (fun j => f (n - 1 - j)%nat));
    [ring | intros; f_equal; lia].
Qed.

Lemma Csum_swap n m (f : nat -> nat -> C) :
  Csum n (fun j => Csum m (fun k => f j k)) = Csum m (fun k => Csum n (fun j => f j k)).
Proof.
  induction n as [ | n IH]; simpl.
  - now rewrite Csum_0.
  - now rewrite IH, Csum_plus.
Qed.

Lemma Csum_single n (f : nat -> C) m :
  (m < n)%nat -> (forall j, (j < n)%nat -> j <> m -> f j = 0) ->
  Csum n f = f m.
Proof.
  intros Hm H. induction n as [ | n IH]; [lia | ]. simpl.
  destruct (Nat.eq_dec m n) as [-> | Hn].
  - rewrite (Csum_ext n f (fun _ => 0)), Csum_0; [ring | ]. intros; apply H; lia.
  - rewrite IH, (H n); [ring | lia | lia | lia | ]. intros; apply H; lia.
Qed.

Lemma Csum_Cmod n f : (Cmod (Csum n f) <= Rsum n (fun j => Cmod (f j)))%R.
Proof.
  induction n as [ | n IH]; simpl.
  - rewrite Cmod_0. apply Rle_refl.
  - eapply Rle_trans; [apply Cmod_triangle | ]. lra.
Qed.

Lemma Re_Csum n f : Re (Csum n f) = Rsum n (fun j => Re (f j)).
Proof.
  induction n as [ | n IH]; [reflexivity | ].
  cbn [Csum Rsum]. now rewrite Re_plus, IH.
Qed.

Lemma Im_Csum n f : Im (Csum n f) = Rsum n (fun j => Im (f j)).
Proof.
  induction n as [ | n IH]; [reflexivity | ].
  cbn [Csum Rsum]. now rewrite Im_plus, IH.
Qed.

Lemma Csum_R n f : Csum n (fun j => RtoC (f j)) = Rsum n f.
Proof. induction n as [ | n IH]; simpl; [reflexivity | ]. now rewrite IH, RtoC_plus. Qed.

Lemma Rsum_ext n f g : (forall j, (j < n)%nat -> f j = g j) -> Rsum n f = Rsum n g.
Proof.
  induction n as [ | n IH]; intros H; simpl; [reflexivity | ].
  rewrite IH, H; auto; intros; apply H; lia.
Qed.

Lemma Rsum_0 n : Rsum n (fun _ => 0%R) = 0%R.
Proof. induction n as [ | n IH]; simpl; [reflexivity | ]. rewrite IH. ring. Qed.

Lemma Rsum_plus n f g : Rsum n (fun j => f j + g j)%R = (Rsum n f + Rsum n g)%R.
Proof. induction n as [ | n IH]; simpl; [ring | ]. rewrite IH. ring. Qed.

Lemma Rsum_opp n f : Rsum n (fun j => - f j)%R = (- Rsum n f)%R.
Proof. induction n as [ | n IH]; simpl; [ring | ]. rewrite IH. ring. Qed.

Lemma Rsum_scal n r f : Rsum n (fun j => r * f j)%R = (r * Rsum n f)%R.
Proof. induction n as [ | n IH]; simpl; [ring | ]. rewrite IH. ring. Qed.

Lemma Rsum_scal_r n r f : Rsum n (fun j => f j * r)%R = (Rsum n f * r)%R.
Proof. induction n as [ | n IH]; simpl; [ring | ]. rewrite IH. ring. Qed.

Lemma Rsum_const n r : Rsum n (fun _ => r) = (INR n * r)%R.
Proof. induction n as [ | n IH]; simpl Rsum; [simpl; ring | ]. rewrite IH, S_INR. ring. Qed.

Lemma Rsum_le n f g : (forall j, (j < n)%nat -> (f j <= g j)%R) -> (Rsum n f <= Rsum n g)%R.
Proof.
  induction n as [ | n IH]; intros H; simpl; [apply Rle_refl | ].
  apply Rplus_le_compat; [apply IH; intros; apply H; lia | apply H; lia].
Qed.

Lemma Rsum_Rabs n f : (Rabs (Rsum n f) <= Rsum n (fun j => Rabs (f j)))%R.
Proof.
  induction n as [ | n IH]; simpl.
  - rewrite Rabs_R0. apply Rle_refl.
  - eapply Rle_trans; [apply Rabs_triang | ]. lra.
Qed.

Lemma Rsum_shift n f : Rsum (S n) f = (f 0%nat + Rsum n (fun j => f (S j)))%R.
Proof.
  induction n as [ | n IH]; [simpl; ring | ].
  replace (Rsum (S (S n)) f) with (Rsum (S n) f + f (S n))%R by reflexivity.
  rewrite IH. simpl. ring.
Qed.

Lemma Rsum_swap n m (f : nat -> nat -> R) :
  Rsum n (fun j => Rsum m (fun k => f j k)) = Rsum m (fun k => Rsum n (fun j => f j k)).
Proof.
  induction n as [ | n IH]; simpl.
  - now rewrite Rsum_0.
  - now rewrite IH, Rsum_plus.
Qed.

(** ** Complex trigonometric polynomials *)

Lemma trig_poly_S K c x :
  trig_poly (S K) c x =
  trig_poly K c x
  + c (Z.of_nat (S K)) * cis (IZR (Z.of_nat (S K)) * x)
  + c (- Z.of_nat (S K))%Z * cis (IZR (- Z.of_nat (S K)) * x).
Proof.
  unfold trig_poly. replace (2 * S K + 1)%nat with (S (S (2 * K + 1))) by lia.
  set (g := fun j => c (Z.of_nat j - Z.of_nat (S K))%Z
                     * cis (IZR (Z.of_nat j - Z.of_nat (S K)) * x)).
  rewrite Csum_shift. cbn [Csum].
  rewrite (Csum_ext (2 * K + 1) (fun j => g (S j))
    (fun j => c (Z.of_nat j - Z.of_nat K)%Z * cis (IZR (Z.of_nat j - Z.of_nat K) * x))).
  2: { intros j Hj. unfold g.
       replace (Z.of_nat (S j) - Z.of_nat (S K))%Z with (Z.of_nat j - Z.of_nat K)%Z by lia.
       reflexivity. }
  unfold g.
  replace (Z.of_nat 0 - Z.of_nat (S K))%Z with (- Z.of_nat (S K))%Z by lia.
  replace (Z.of_nat (S (2 * K + 1)) - Z.of_nat (S K))%Z with (Z.of_nat (S K)) by lia.
  ring.
Qed.

Lemma trig_poly_0 c x : trig_poly 0 c x = c 0%Z.
Proof. unfold trig_poly. simpl. rewrite Rmult_0_l, cis_0. ring. Qed.

Lemma trig_poly_ext K c d x :
  (forall k, (- Z.of_nat K <= k <= Z.of_nat K)%Z -> c k = d k) -> trig_poly K c x = trig_poly K d x.
Proof.
  intros H. unfold trig_poly. apply Csum_ext. intros j Hj. rewrite H; [reflexivity | lia].
Qed.

Lemma trig_poly_plus K c d x :
  trig_poly K (fun k => c k + d k) x = trig_poly K c x + trig_poly K d x.
Proof. unfold trig_poly. rewrite <- Csum_plus. apply Csum_ext. intros. ring. Qed.

Lemma trig_poly_minus K c d x :
  trig_poly K (fun k => c k - d k) x = trig_poly K c x - trig_poly K d x.
Proof. unfold trig_poly. rewrite <- Csum_minus. apply Csum_ext. intros. ring. Qed.

Lemma trig_poly_scal K z c x : trig_poly K (fun k => z * c k) x = z * trig_poly K c x.
Proof. unfold trig_poly. rewrite <- Csum_scal. apply Csum_ext. intros. ring. Qed.

Lemma trig_poly_conj K c x :
  Cconj (trig_poly K c x) = trig_poly K (fun k => Cconj (c (- k)%Z)) x.
Proof.
  induction K as [ | K IH].
  - now rewrite !trig_poly_0.
  - rewrite !trig_poly_S, !Cconj_plus, !Cconj_mult, IH, !Cconj_cis, Z.opp_involutive, !opp_IZR.
    rewrite <- !Ropp_mult_distr_l, Ropp_involutive. ring.
Qed.

(** Conjugate-symmetric coefficients give real values. *)
Lemma trig_poly_real K c :
  (forall k, (- Z.of_nat K <= k <= Z.of_nat K)%Z -> c (- k)%Z = Cconj (c k)) ->
  forall x, Im (trig_poly K c x) = 0%R.
Proof.
  intros H x. apply Im_0_conj. rewrite trig_poly_conj. apply trig_poly_ext.
  intros k Hk. now rewrite H, Cconj_conj.
Qed.

(** [is_trig K f]: [f] is a trigonometric polynomial of degree at most [K]. *)
Definition is_trig (K : nat) (f : R -> C) : Prop := exists c, forall x, f x = trig_poly K c x.

Lemma is_trig_ext K f g : (forall x, f x = g x) -> is_trig K f -> is_trig K g.
Proof. intros E [c H]. exists c. intros x. now rewrite <- E. Qed.

Lemma is_trig_plus K f g : is_trig K f -> is_trig K g -> is_trig K (fun x => f x + g x).
Proof.
  intros [c Hc] [d Hd]. exists (fun k => c k + d k). intros x.
  now rewrite trig_poly_plus, Hc, Hd.
Qed.

Lemma is_trig_scal K z f : is_trig K f -> is_trig K (fun x => z * f x).
Proof. intros [c Hc]. exists (fun k => z * c k). intros x. now rewrite trig_poly_scal, Hc. Qed.

Lemma is_trig_zero K : is_trig K (fun _ => 0).
Proof.
  exists (fun _ => 0). intros x. unfold trig_poly.
  rewrite (Csum_ext _ _ (fun _ => 0)); [now rewrite Csum_0 | intros; ring].
Qed.

Lemma is_trig_Csum K n (f : nat -> R -> C) :
  (forall j, (j < n)%nat -> is_trig K (f j)) -> is_trig K (fun x => Csum n (fun j => f j x)).
Proof.
  induction n as [ | n IH]; intros H; simpl; [apply is_trig_zero | ].
  apply is_trig_plus; [apply IH; intros; apply H; lia | apply H; lia].
Qed.

Lemma is_trig_cis K k : (- Z.of_nat K <= k <= Z.of_nat K)%Z -> is_trig K (fun x => cis (IZR k * x)).
Proof.
  intros Hk. exists (fun j => if Z.eq_dec j k then RtoC 1 else RtoC 0). intros x. unfold trig_poly.
  rewrite (Csum_single _ _ (Z.to_nat (k + Z.of_nat K))).
  - replace (Z.of_nat (Z.to_nat (k + Z.of_nat K)) - Z.of_nat K)%Z with k by lia.
    destruct (Z.eq_dec k k); [ring | contradiction].
  - lia.
  - intros j Hj Hn. destruct (Z.eq_dec (Z.of_nat j - Z.of_nat K) k); [lia | ring].
Qed.

Lemma is_trig_const K z : is_trig K (fun _ => z).
Proof.
  apply is_trig_ext with (fun x => z * cis (IZR 0 * x)).
  - intros x. rewrite Rmult_0_l, cis_0. ring.
  - apply is_trig_scal, is_trig_cis. lia.
Qed.

Lemma is_trig_le K L f : (K <= L)%nat -> is_trig K f -> is_trig L f.
Proof.
  intros Hle [c H].
  apply is_trig_ext with (1 := fun x => eq_sym (H x)). unfold trig_poly.
  apply is_trig_Csum. intros j Hj. apply is_trig_scal, is_trig_cis. lia.
Qed.

Lemma is_trig_mult K L f g : is_trig K f -> is_trig L g -> is_trig (K + L) (fun x => f x * g x).
Proof.
  intros [c Hc] [d Hd].
  apply is_trig_ext with (fun x => Csum (2 * K + 1) (fun j => Csum (2 * L + 1) (fun l =>
    c (Z.of_nat j - Z.of_nat K)%Z * d (Z.of_nat l - Z.of_nat L)%Z
    * cis (IZR (Z.of_nat j - Z.of_nat K + (Z.of_nat l - Z.of_nat L)) * x)))).
  - intros x. rewrite Hc, Hd. unfold trig_poly. rewrite <- Csum_scal_r. apply Csum_ext.
    intros j Hj. rewrite <- Csum_scal. apply Csum_ext. intros l Hl.
    rewrite plus_IZR, Rmult_plus_distr_r, cis_plus. ring.
  - apply is_trig_Csum. intros j Hj. apply is_trig_Csum. intros l Hl.
    apply is_trig_scal, is_trig_cis. lia.
Qed.

Lemma is_trig_conj K f : is_trig K f -> is_trig K (fun x => Cconj (f x)).
Proof.
  intros [c Hc]. exists (fun k => Cconj (c (- k)%Z)). intros x. now rewrite Hc, trig_poly_conj.
Qed.

(** Moving the argument by [t] keeps the degree. *)
Lemma trig_poly_shift K c t x :
  trig_poly K c (x + t) = trig_poly K (fun k => c k * cis (IZR k * t)) x.
Proof.
  unfold trig_poly. apply Csum_ext. intros j Hj. rewrite Rmult_plus_distr_l, cis_plus. ring.
Qed.

(** ** Real trigonometric polynomials, and the two forms compared *)

Lemma rtrig_S K a b x :
  rtrig (S K) a b x =
  (rtrig K a b x + (a (S K) * cos (INR (S K) * x) + b (S K) * sin (INR (S K) * x)))%R.
Proof. reflexivity. Qed.

Lemma rtrig_0 a b x : rtrig 0 a b x = a 0%nat.
Proof. unfold rtrig. simpl. rewrite Rmult_0_l, cos_0, sin_0. ring. Qed.

(** Complex coefficients of a real trigonometric polynomial: [a_0] for [k = 0], else
    [(a_k - i b_k) / 2] and its conjugate. *)
Definition complex_coeff (a b : nat -> R) (k : Z) : C :=
  if Z.eq_dec k 0 then RtoC (a 0%nat)
  else if Z_lt_dec 0 k then ((a (Z.to_nat k) / 2)%R, (- b (Z.to_nat k) / 2)%R)
  else ((a (Z.to_nat (- k)) / 2)%R, (b (Z.to_nat (- k)) / 2)%R).

Lemma complex_coeff_sym a b k : complex_coeff a b (- k) = Cconj (complex_coeff a b k).
Proof.
  unfold complex_coeff, Cconj, RtoC.
  destruct (Z.eq_dec (- k) 0); destruct (Z.eq_dec k 0); try lia; simpl; [now rewrite Ropp_0 | ].
  destruct (Z_lt_dec 0 (- k)); destruct (Z_lt_dec 0 k); try lia; simpl;
    rewrite ?Z.opp_involutive; f_equal; field.
Qed.

Lemma rtrig_trig_poly K a b x : RtoC (rtrig K a b x) = trig_poly K (complex_coeff a b) x.
Proof.
  induction K as [ | K IH].
  - now rewrite rtrig_0, trig_poly_0.
  - rewrite trig_poly_S, <- IH, rtrig_S, RtoC_plus, <- Cplus_assoc. f_equal.
    unfold complex_coeff.
    destruct (Z.eq_dec (Z.of_nat (S K)) 0); [lia | ].
    destruct (Z.eq_dec (- Z.of_nat (S K)) 0); [lia | ].
    destruct (Z_lt_dec 0 (Z.of_nat (S K))); [ | lia].
    destruct (Z_lt_dec 0 (- Z.of_nat (S K))); [lia | ].
    rewrite Z.opp_involutive, Nat2Z.id, opp_IZR, <- INR_IZR_INZ, <- Ropp_mult_distr_l.
    unfold cis, Cmult, Cplus, RtoC. cbn [fst snd].
    rewrite cos_neg, sin_neg. apply injective_projections; cbn [fst snd]; field.
Qed.

(** The real part of a trigonometric polynomial, as a real trigonometric polynomial. *)
Lemma Re_trig_poly K c x :
  Re (trig_poly K c x) =
  rtrig K
    (fun k => if Nat.eq_dec k 0 then Re (c 0%Z)
              else (Re (c (Z.of_nat k)) + Re (c (- Z.of_nat k)%Z))%R)
    (fun k => (Im (c (- Z.of_nat k)%Z) - Im (c (Z.of_nat k)))%R) x.
Proof.
  induction K as [ | K IH].
  - now rewrite rtrig_0, trig_poly_0.
  - rewrite trig_poly_S, rtrig_S, !Re_plus, IH, Rplus_assoc. f_equal.
    destruct (Nat.eq_dec (S K) 0); [lia | ].
    rewrite opp_IZR, <- INR_IZR_INZ, <- Ropp_mult_distr_l.
    unfold Re, Im, cis, Cmult. cbn [fst snd]. rewrite cos_neg, sin_neg. ring.
Qed.

(** [is_rtrig K f]: [f] is a real trigonometric polynomial of degree at most [K]. *)
Definition is_rtrig (K : nat) (f : R -> R) : Prop := exists a b, forall x, f x = rtrig K a b x.

(** A real function is a real trigonometric polynomial exactly if it is a complex one. *)
Lemma is_rtrig_is_trig K f : is_rtrig K f <-> is_trig K (fun x => RtoC (f x)).
Proof.
  split.
  - intros (a & b & H). exists (complex_coeff a b). intros x. now rewrite H, rtrig_trig_poly.
  - intros (c & H). eexists. eexists. intros x. rewrite <- Re_trig_poly, <- H. reflexivity.
Qed.

Lemma is_rtrig_ext K f g : (forall x, f x = g x) -> is_rtrig K f -> is_rtrig K g.
Proof. intros E (a & b & H). exists a, b. intros x. now rewrite <- E. Qed.

Lemma is_rtrig_plus K f g : is_rtrig K f -> is_rtrig K g -> is_rtrig K (fun x => f x + g x)%R.
Proof.
  rewrite !is_rtrig_is_trig. intros Hf Hg.
  eapply is_trig_ext; [ | exact (is_trig_plus _ _ _ Hf Hg)].
  intros x. simpl. now rewrite RtoC_plus.
Qed.

Lemma is_rtrig_scal K r f : is_rtrig K f -> is_rtrig K (fun x => r * f x)%R.
Proof.
  rewrite !is_rtrig_is_trig. intros Hf. eapply is_trig_ext; [ | exact (is_trig_scal _ r _ Hf)].
  intros x. simpl. now rewrite RtoC_mult.
Qed.

Lemma is_rtrig_opp K f : is_rtrig K f -> is_rtrig K (fun x => - f x)%R.
Proof.
  intros H. apply is_rtrig_ext with (fun x => (-1) * f x)%R; [intros; ring | ].
  now apply is_rtrig_scal.
Qed.

Lemma is_rtrig_minus K f g : is_rtrig K f -> is_rtrig K g -> is_rtrig K (fun x => f x - g x)%R.
Proof. intros Hf Hg. apply is_rtrig_plus; [exact Hf | now apply is_rtrig_opp]. Qed.

Lemma is_rtrig_mult K L f g :
  is_rtrig K f -> is_rtrig L g -> is_rtrig (K + L) (fun x => f x * g x)%R.
Proof.
  rewrite !is_rtrig_is_trig. intros Hf Hg.
  eapply is_trig_ext; [ | exact (is_trig_mult _ _ _ _ Hf Hg)].
  intros x. simpl. now rewrite RtoC_mult.
Qed.

Lemma is_rtrig_const K r : is_rtrig K (fun _ => r).
Proof. apply is_rtrig_is_trig, is_trig_const. Qed.

Lemma is_rtrig_le K L f : (K <= L)%nat -> is_rtrig K f -> is_rtrig L f.
Proof. rewrite !is_rtrig_is_trig. apply is_trig_le. Qed.

Lemma is_rtrig_shift K f t : is_rtrig K f -> is_rtrig K (fun x => f (x + t)%R).
Proof.
  rewrite !is_rtrig_is_trig. intros (c & H). exists (fun k => c k * cis (IZR k * t)). intros x.
  now rewrite H, trig_poly_shift.
Qed.

(** [A cos(K x)]; with [is_rtrig_shift], any wave of this frequency. *)
Lemma is_rtrig_cos K A : is_rtrig K (fun x => A * cos (INR K * x))%R.
Proof.
  apply is_rtrig_scal. exists (fun k => if Nat.eq_dec k K then 1%R else 0%R), (fun _ => 0%R).
  intros x. unfold rtrig. cbn [Rsum]. rewrite (Rsum_ext _ _ (fun _ => 0%R)).
  - rewrite Rsum_0. destruct (Nat.eq_dec K K); [ring | contradiction].
  - intros j Hj. destruct (Nat.eq_dec j K); [lia | ring].
Qed.

Lemma is_rtrig_reflect K f : is_rtrig K f -> is_rtrig K (fun x => f (- x)%R).
Proof.
  intros (a & b & H). exists a, (fun k => - b k)%R. intros x. rewrite H. unfold rtrig.
  apply Rsum_ext. intros j Hj. rewrite <- Ropp_mult_distr_r, cos_neg, sin_neg. ring.
Qed.

Lemma rtrig_periodic K a b x k : rtrig K a b (x + 2 * IZR k * PI) = rtrig K a b x.
Proof.
  unfold rtrig. apply Rsum_ext. intros j Hj.
  replace (INR j * (x + 2 * IZR k * PI))%R with (INR j * x + 2 * IZR (Z.of_nat j * k) * PI)%R
    by (rewrite mult_IZR, <- INR_IZR_INZ; ring).
  now rewrite cos_period_Z, sin_period_Z.
Qed.

Lemma is_rtrig_periodic K f x k : is_rtrig K f -> f (x + 2 * IZR k * PI)%R = f x.
Proof. intros (a & b & H). now rewrite !H, rtrig_periodic. Qed.

Lemma is_derive_rtrig K a b x :
  is_derive (rtrig K a b) x (rtrig K (fun k => INR k * b k)%R (fun k => - (INR k * a k))%R x).
Proof.
  induction K as [ | K IH].
  - rewrite rtrig_0. simpl INR. rewrite Rmult_0_l.
    apply is_derive_ext with (fun _ => a 0%nat); [intros; now rewrite rtrig_0 | ].
    apply @is_derive_const.
  - rewrite rtrig_S. apply is_derive_ext with (fun t => plus (rtrig K a b t)
      (a (S K) * cos (INR (S K) * t) + b (S K) * sin (INR (S K) * t))%R); [reflexivity | ].
    apply @is_derive_plus; [exact IH | ].
    generalize (INR (S K)); intros w. auto_derive; [exact I | ring].
Qed.

Lemma is_rtrig_derivable K f : is_rtrig K f -> forall x, ex_derive f x.
Proof.
  intros (a & b & H) x. apply ex_derive_ext with (rtrig K a b); [intros; now rewrite H | ].
  eexists. apply is_derive_rtrig.
Qed.

Lemma is_rtrig_continuous K f : is_rtrig K f -> continuity f.
Proof.
  intros H x. apply continuity_pt_filterlim.
  apply (ex_derive_continuous (V := R_NormedModule)). now apply is_rtrig_derivable with K.
Qed.

(** The real part of a complex trigonometric polynomial, and a wave of any smaller frequency. *)
Lemma is_rtrig_Re K f : is_trig K f -> is_rtrig K (fun x => Re (f x)).
Proof.
  intros (c & H). eexists. eexists. intros x. rewrite H. apply Re_trig_poly.
Qed.

Lemma is_rtrig_wave K k a b : (- Z.of_nat K <= k <= Z.of_nat K)%Z ->
  is_rtrig K (fun x => a * cos (IZR k * x) + b * sin (IZR k * x))%R.
Proof.
  intros Hk. apply is_rtrig_ext with (fun x => Re ((a, - b)%R * cis (IZR k * x))).
  - intros x. unfold Re, cis, Cmult. simpl. ring.
  - apply is_rtrig_Re, is_trig_scal, is_trig_cis, Hk.
Qed.

Lemma is_rtrig_Rsum K n (f : nat -> R -> R) :
  (forall j, (j < n)%nat -> is_rtrig K (f j)) -> is_rtrig K (fun x => Rsum n (fun j => f j x)).
Proof.
  induction n as [ | n IH]; intros H; simpl; [apply is_rtrig_const | ].
  apply is_rtrig_plus; [apply IH; intros; apply H; lia | apply H; lia].
Qed.

(** ** Instances with numbers *)

(** [cos x] has the coefficients [1/2], [0], [1/2]. *)
Example trig_poly_cos x :
  trig_poly 1 (fun k => if Z.eq_dec k 0 then RtoC 0 else RtoC (1 / 2)) x = cos x.
Proof.
  rewrite trig_poly_S, trig_poly_0. simpl.
  rewrite Rmult_1_l. replace (-1 * x)%R with (- x)%R by ring. unfold cis, Cmult, Cplus, RtoC.
  rewrite cos_neg, sin_neg. simpl. apply injective_projections; simpl; field.
Qed.

Example rtrig_instance :
  rtrig 2 (fun k => INR k) (fun k => INR (k + 1)) (PI / 2) = 0%R.
Proof.
  rewrite !rtrig_S, rtrig_0. simpl.
  replace ((1 + 1) * (PI / 2))%R with PI by field.
  rewrite !Rmult_1_l, cos_PI, sin_PI, cos_PI2, sin_PI2. ring.
Qed.
