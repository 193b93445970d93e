(** The headline theorems, each with its statement in full, and the definitions that the statements
    are made of. Nothing new is proved: each theorem is proved by [exact] from the file that proves
    it, so this file stops compiling if a statement there is weakened; each definition is repeated
    and proved equal by [reflexivity], so it stops compiling if a definition is changed. To know
    what has been checked, it is enough to read this file; proofs/README.md says how. *)

From Coq Require Import Reals ZArith Znumtheory List Ring Qreals.
From Coquelicot Require Import Coquelicot.
From QrunEquiv Require Import TrigPoly Matrix Element FourierForm Multilinear Ladder Redundancy.
From QrunEquiv Require Import Gradients Unisolvence EhlichZeller Bernstein.
From QrunEquiv Require SchwartzZippel Universality Polynomial Certificate.
Import ListNotations.

(** * Definitions *)

Local Open Scope C_scope.

(** ** Sums, products, exponentials *)

(** [cis t] = e^(i t). *)
Lemma definition_of_cis t : cis t = (cos t, sin t).
Proof. reflexivity. Qed.

(** Csum n f = f 0 + ... + f (n - 1); the other sums and products likewise. *)
Lemma definition_of_Csum n f : Csum 0 f = 0 /\ Csum (S n) f = Csum n f + f n.
Proof. split; reflexivity. Qed.

Lemma definition_of_Rsum n f : Rsum 0 f = 0%R /\ Rsum (S n) f = (Rsum n f + f n)%R.
Proof. split; reflexivity. Qed.

Lemma definition_of_Rprod n f : Rprod 0 f = 1%R /\ Rprod (S n) f = (Rprod n f * f n)%R.
Proof. split; reflexivity. Qed.

(** The sum of F over the members of a list. *)
Lemma definition_of_Clsum (A : Type) (F : A -> C) a l :
  Clsum F [] = 0 /\ Clsum F (a :: l) = F a + Clsum F l.
Proof. split; reflexivity. Qed.

Lemma definition_of_Rlsum (A : Type) (F : A -> R) a l :
  Rlsum F [] = 0%R /\ Rlsum F (a :: l) = (F a + Rlsum F l)%R.
Proof. split; reflexivity. Qed.

Lemma definition_of_Nsum n f : Nsum 0 f = 0%nat /\ Nsum (S n) f = (Nsum n f + f n)%nat.
Proof. split; reflexivity. Qed.

(** The sequence n with the entry of place g replaced by m. *)
Lemma definition_of_update (A : Type) (n : nat -> A) g m h :
  update n g m h = if Nat.eqb h g then m else n h.
Proof. reflexivity. Qed.

(** All words of L letters; places from L on hold z and are never read. *)
Lemma definition_of_words (A : Type) (letters : list A) (z : A) L :
  words letters z 0 = [fun _ => z]
  /\ words letters z (S L) =
     flat_map (fun n => map (update n L) letters) (words letters z L).
Proof. split; reflexivity. Qed.

(** ** Trigonometric polynomials *)

(** sum over k = -K ... K of c_k e^(i k x). *)
Lemma definition_of_trig_poly K c x :
  trig_poly K c x = Csum (2 * K + 1) (fun j =>
    c (Z.of_nat j - Z.of_nat K)%Z * cis (IZR (Z.of_nat j - Z.of_nat K) * x)).
Proof. reflexivity. Qed.

(** sum over k = 0 ... K of a_k cos(k x) + b_k sin(k x). *)
Lemma definition_of_rtrig K a b x :
  rtrig K a b x = Rsum (S K) (fun k => a k * cos (INR k * x) + b k * sin (INR k * x))%R.
Proof. reflexivity. Qed.

Lemma definition_of_is_trig K f : is_trig K f = exists c, forall x, f x = trig_poly K c x.
Proof. reflexivity. Qed.

Lemma definition_of_is_rtrig K f : is_rtrig K f = exists a b, forall x, f x = rtrig K a b x.
Proof. reflexivity. Qed.

(** ** Vectors and matrices of dimension d *)

Lemma definition_of_vec : vec = (nat -> C).
Proof. reflexivity. Qed.

Lemma definition_of_mat : mat = (nat -> nat -> C).
Proof. reflexivity. Qed.

Lemma definition_of_apply d A v i : apply d A v i = Csum d (fun j => A i j * v j).
Proof. reflexivity. Qed.

Lemma definition_of_inner d u v : inner d u v = Csum d (fun i => Cconj (u i) * v i).
Proof. reflexivity. Qed.

(** <v|O|v> *)
Lemma definition_of_expect d O v : expect d O v = inner d v (apply d O v).
Proof. reflexivity. Qed.

Lemma definition_of_mmul d A B i k : mmul d A B i k = Csum d (fun j => A i j * B j k).
Proof. reflexivity. Qed.

Lemma definition_of_adj A i j : adj A i j = Cconj (A j i).
Proof. reflexivity. Qed.

(** The identity. *)
Lemma definition_of_mid i j : mid i j = if Nat.eqb i j then RtoC 1 else RtoC 0.
Proof. reflexivity. Qed.

Lemma definition_of_mplus A B i j : mplus A B i j = A i j + B i j.
Proof. reflexivity. Qed.

Lemma definition_of_mscal a A i j : mscal a A i j = a * A i j.
Proof. reflexivity. Qed.

Lemma definition_of_trace d A : trace d A = Csum d (fun i => A i i).
Proof. reflexivity. Qed.

Lemma definition_of_msum n F i j : msum n F i j = Csum n (fun l => F l i j).
Proof. reflexivity. Qed.

Lemma definition_of_veq d u v : veq d u v = forall i, (i < d)%nat -> u i = v i.
Proof. reflexivity. Qed.

Lemma definition_of_meq d A B :
  meq d A B = forall i j, (i < d)%nat -> (j < d)%nat -> A i j = B i j.
Proof. reflexivity. Qed.

Lemma definition_of_hermitian d A : hermitian d A = meq d (adj A) A.
Proof. reflexivity. Qed.

Lemma definition_of_unitary d A :
  unitary d A = (meq d (mmul d (adj A) A) mid /\ meq d (mmul d A (adj A)) mid).
Proof. reflexivity. Qed.

Lemma definition_of_involution d P : involution d P = meq d (mmul d P P) mid.
Proof. reflexivity. Qed.

(** A^dagger O A *)
Lemma definition_of_conjugate d A O : conjugate d A O = mmul d (adj A) (mmul d O A).
Proof. reflexivity. Qed.

(** Kronecker products; n is the dimension of the second factor. *)
Lemma definition_of_kron n A B i j :
  kron n A B i j = A (i / n)%nat (j / n)%nat * B (i mod n)%nat (j mod n)%nat.
Proof. reflexivity. Qed.

Lemma definition_of_vkron n u v i : vkron n u v i = u (i / n)%nat * v (i mod n)%nat.
Proof. reflexivity. Qed.

Lemma definition_of_mat2 a b c d :
  mat2 a b c d 0%nat 0%nat = a /\ mat2 a b c d 0%nat 1%nat = b
  /\ mat2 a b c d 1%nat 0%nat = c /\ mat2 a b c d 1%nat 1%nat = d.
Proof. repeat split; reflexivity. Qed.

Lemma definition_of_vec2 a b : vec2 a b 0%nat = a /\ vec2 a b 1%nat = b.
Proof. split; reflexivity. Qed.

Lemma definition_of_pauli_x : pauli_x = mat2 0 1 1 0.
Proof. reflexivity. Qed.

Lemma definition_of_pauli_y : pauli_y = mat2 0 (- Ci) Ci 0.
Proof. reflexivity. Qed.

Lemma definition_of_pauli_z : pauli_z = mat2 1 0 0 (- RtoC 1).
Proof. reflexivity. Qed.

Lemma definition_of_pauli :
  pauli 0 = mid /\ pauli 1 = pauli_x /\ pauli 2 = pauli_y /\ pauli 3 = pauli_z.
Proof. repeat split; reflexivity. Qed.

(** The word with the digits of k in base 4; the first qubit has the leading digit. *)
Lemma definition_of_pauli_word n k :
  pauli_word 0 k = mid
  /\ pauli_word (S n) k = kron 2 (pauli_word n (k / 4)%nat) (pauli (k mod 4)%nat).
Proof. split; reflexivity. Qed.

Lemma definition_of_ket0 i : ket0 0%nat = RtoC 1 /\ ket0 (S i) = RtoC 0.
Proof. split; reflexivity. Qed.

(** ** Circuits *)

(** cos(a/2) - i sin(a/2) P, which is exp(- i a P / 2) where P^2 = 1. *)
Lemma definition_of_rotation P a :
  rotation P a = mplus (mscal (RtoC (cos (a / 2))) mid) (mscal (- (Ci * RtoC (sin (a / 2)))) P).
Proof. reflexivity. Qed.

(** The state W_L S_(L-1) W_(L-1) ... S_0 W_0 |psi>, S_g the rotation about P_g by alpha_g. *)
Lemma definition_of_state d W P psi L alpha :
  state d W P psi 0 alpha = apply d (W 0%nat) psi
  /\ state d W P psi (S L) alpha =
     apply d (W (S L)) (apply d (rotation (P L) (alpha L)) (state d W P psi L alpha)).
Proof. split; reflexivity. Qed.

(** The expectation value of O in this state. *)
Lemma definition_of_output d W P psi O L alpha :
  output d W P psi O L alpha = expect d O (state d W P psi L alpha).
Proof. reflexivity. Qed.

Lemma definition_of_signs : signs = [(-1)%Z; 0%Z; 1%Z].
Proof. reflexivity. Qed.

Lemma definition_of_plus_minus : plus_minus = [(-1)%Z; 1%Z].
Proof. reflexivity. Qed.

(** The three functions of an angle: 1, cos, sin. *)
Lemma definition_of_value a :
  value One a = 1%R /\ value Cos a = cos a /\ value Sin a = sin a.
Proof. repeat split; reflexivity. Qed.

Lemma definition_of_features : features = [One; Cos; Sin].
Proof. reflexivity. Qed.

Lemma definition_of_feature (P : feature -> Prop) : P One -> P Cos -> P Sin -> forall t, P t.
Proof. exact (feature_ind P). Qed.

(** S^dagger M S = M_One + M_Cos cos a + M_Sin sin a for the rotation S about P by a. *)
Lemma definition_of_part d P M :
  part d P M One = mscal (RtoC (1 / 2)) (mplus M (conjugate d P M))
  /\ part d P M Cos = mscal (RtoC (1 / 2)) (mplus M (mscal (- RtoC 1) (conjugate d P M)))
  /\ part d P M Sin =
     mscal (RtoC (1 / 2) * Ci) (mplus (mmul d (adj P) M) (mscal (- RtoC 1) (mmul d M P))).
Proof. repeat split; reflexivity. Qed.

(** ** The chain of real matrices *)

Lemma definition_of_rapply D A r j : rapply D A r j = Rsum D (fun k => A j k * r k)%R.
Proof. reflexivity. Qed.

Lemma definition_of_chain D T K r L alpha :
  chain D T K r 0 alpha = rapply D (T 0%nat) r
  /\ chain D T K r (S L) alpha =
     rapply D (T (S L))
       (rapply D (fun j k => K L One j k + K L Cos j k * cos (alpha L)
                             + K L Sin j k * sin (alpha L))%R
          (chain D T K r L alpha)).
Proof. split; reflexivity. Qed.

(** Coordinates (1/N) Tr(M B_k), means <B_k>, matrices (1/N) Tr(V^dagger B_j V B_k). *)
Lemma definition_of_coordinate d B N M k :
  coordinate d B N M k = (/ N * Re (trace d (mmul d M (B k))))%R.
Proof. reflexivity. Qed.

Lemma definition_of_means d B v k : means d B v k = Re (expect d (B k) v).
Proof. reflexivity. Qed.

Lemma definition_of_transfer d B N V j k :
  transfer d B N V j k = coordinate d B N (conjugate d V (B j)) k.
Proof. reflexivity. Qed.

Lemma definition_of_core d B N P t j k :
  core d B N P t j k = coordinate d B N (part d P (B j) t) k.
Proof. reflexivity. Qed.

Lemma definition_of_pauli_means n : pauli_means n = means (2 ^ n) (pauli_word n).
Proof. reflexivity. Qed.

Lemma definition_of_pauli_coordinate n :
  pauli_coordinate n = coordinate (2 ^ n) (pauli_word n) (2 ^ n)%R.
Proof. reflexivity. Qed.

Lemma definition_of_pauli_transfer n :
  pauli_transfer n = transfer (2 ^ n) (pauli_word n) (2 ^ n)%R.
Proof. reflexivity. Qed.

Lemma definition_of_pauli_core n : pauli_core n = core (2 ^ n) (pauli_word n) (2 ^ n)%R.
Proof. reflexivity. Qed.

Lemma definition_of_bloch_vector v j : bloch_vector v j = means 2 pauli v (S j).
Proof. reflexivity. Qed.

Lemma definition_of_bloch_coordinate O k : bloch_coordinate O k = coordinate 2 pauli 2 O k.
Proof. reflexivity. Qed.

Lemma definition_of_bloch_matrix V j k : bloch_matrix V j k = transfer 2 pauli 2 V (S j) (S k).
Proof. reflexivity. Qed.

Lemma definition_of_bloch_core P t j k :
  bloch_core P t j k = core 2 pauli 2 P t (S j) (S k).
Proof. reflexivity. Qed.

Lemma definition_of_det3 A :
  det3 A =
  (A 0%nat 0%nat * (A 1%nat 1%nat * A 2%nat 2%nat - A 1%nat 2%nat * A 2%nat 1%nat)
   - A 0%nat 1%nat * (A 1%nat 0%nat * A 2%nat 2%nat - A 1%nat 2%nat * A 2%nat 0%nat)
   + A 0%nat 2%nat * (A 1%nat 0%nat * A 2%nat 1%nat - A 1%nat 1%nat * A 2%nat 0%nat))%R.
Proof. reflexivity. Qed.

(** ** Product states and their observables *)

Lemma definition_of_product_state phi L :
  product_state phi 0 = ket0
  /\ product_state phi (S L) = vkron 2 (product_state phi L) (phi L).
Proof. split; reflexivity. Qed.

Lemma definition_of_product_operator A L :
  product_operator A 0 = mid
  /\ product_operator A (S L) = kron 2 (product_operator A L) (A L).
Proof. split; reflexivity. Qed.

Lemma definition_of_local g A h : local g A h = if Nat.eqb h g then A else mid.
Proof. reflexivity. Qed.

(** RY(alpha_g)|0> *)
Lemma definition_of_encoded alpha g :
  encoded alpha g = apply 2 (rotation pauli_y (alpha g)) ket0.
Proof. reflexivity. Qed.

Lemma definition_of_feature_pauli :
  feature_pauli One = mid /\ feature_pauli Cos = pauli_z /\ feature_pauli Sin = pauli_x.
Proof. repeat split; reflexivity. Qed.

(** ** Affine layers *)

Lemma definition_of_affine m A b h i :
  affine m A b h i = (b i + Rsum m (fun k => A i k * h k))%R.
Proof. reflexivity. Qed.

Lemma definition_of_copies F h k : copies F h k = h (k mod F)%nat.
Proof. reflexivity. Qed.

Lemma definition_of_summed L F A i j :
  summed L F A i j = Rsum L (fun l => A i (l * F + j)%nat).
Proof. reflexivity. Qed.

(** cos(s_l phi), sin(s_l phi), alternating. *)
Lemma definition_of_reuploads s phi k :
  reuploads s phi k =
  if Nat.eqb (k mod 2) 0 then cos (s (k / 2)%nat * phi) else sin (s (k / 2)%nat * phi).
Proof. reflexivity. Qed.

(** ** Derivatives, grids, sums of waves *)

Lemma definition_of_is_derive_complex f x l :
  is_derive_complex f x l =
  (is_derive (fun t => Re (f t)) x (Re l) /\ is_derive (fun t => Im (f t)) x (Im l)).
Proof. reflexivity. Qed.

Lemma definition_of_upd x i s j : upd x i s j = if Nat.eq_dec j i then s else x j.
Proof. reflexivity. Qed.

Lemma definition_of_grid_factor K N m :
  grid_factor K N 0 = 1%R
  /\ grid_factor K N (S m) = (grid_factor K N m * cos (PI * INR (K m) / INR (N m)))%R.
Proof. split; reflexivity. Qed.

Lemma definition_of_dot m w x : dot m w x = Rsum m (fun i => w i * x i)%R.
Proof. reflexivity. Qed.

Lemma definition_of_wave_sum n w a b x :
  wave_sum n w a b x = Rsum n (fun l => a l * cos (w l * x) + b l * sin (w l * x))%R.
Proof. reflexivity. Qed.

Lemma definition_of_wave_sum_features m n w a b x :
  wave_sum_features m n w a b x =
  Rsum n (fun l => a l * cos (dot m (w l) x) + b l * sin (dot m (w l) x))%R.
Proof. reflexivity. Qed.

(** ** Polynomials in n variables over a ring A (SchwartzZippel.v) *)

Lemma definition_of_horner A (zero : A) add mul a p x :
  SchwartzZippel.horner A zero add mul [] x = zero
  /\ SchwartzZippel.horner A zero add mul (a :: p) x =
     add a (mul x (SchwartzZippel.horner A zero add mul p x)).
Proof. split; reflexivity. Qed.

(** A polynomial in n + 1 variables: the list of its coefficients in the first variable. *)
Lemma definition_of_poly A n :
  SchwartzZippel.poly A 0 = A
  /\ SchwartzZippel.poly A (S n) = list (SchwartzZippel.poly A n).
Proof. split; reflexivity. Qed.

Lemma definition_of_eval A (zero : A) add mul n (a : A) (p : SchwartzZippel.poly A (S n)) x v :
  SchwartzZippel.eval A zero add mul 0 a v = a
  /\ SchwartzZippel.eval A zero add mul (S n) p (x :: v) =
     SchwartzZippel.horner A zero add mul
       (map (fun q => SchwartzZippel.eval A zero add mul n q v) p) x.
Proof. split; reflexivity. Qed.

(** All coefficients are zero. *)
Lemma definition_of_is_zero A (zero : A) n (a : A) (p : SchwartzZippel.poly A (S n)) :
  SchwartzZippel.is_zero A zero 0 a = (a = zero)
  /\ SchwartzZippel.is_zero A zero (S n) p =
     List.Forall (SchwartzZippel.is_zero A zero n) p.
Proof. split; reflexivity. Qed.

(** Every monomial with a coefficient other than zero has a total degree of at most d. *)
Lemma definition_of_degree_le A (zero : A) n d (a : A) (p : SchwartzZippel.poly A (S n)) :
  SchwartzZippel.degree_le A zero 0 d a = True
  /\ SchwartzZippel.degree_le A zero (S n) d p =
     forall k q, nth_error p k = Some q ->
       SchwartzZippel.is_zero A zero n q
       \/ ((k <= d)%nat /\ SchwartzZippel.degree_le A zero n (d - k) q).
Proof. split; reflexivity. Qed.

(** All points with n coordinates from the list T, and the zeros of p among them. *)
Lemma definition_of_grid A (T : list A) n :
  SchwartzZippel.grid A T 0 = [[]]
  /\ SchwartzZippel.grid A T (S n) =
     flat_map (fun w => map (fun x => x :: w) T) (SchwartzZippel.grid A T n).
Proof. split; reflexivity. Qed.

Lemma definition_of_zeros A (zero : A) add mul A_dec n p T :
  SchwartzZippel.zeros A zero add mul A_dec n p T =
  filter (fun v => if A_dec (SchwartzZippel.eval A zero add mul n p v) zero then true else false)
    (SchwartzZippel.grid A T n).
Proof. reflexivity. Qed.

(** The integers modulo p: remainders, and operations on them. *)
Lemma definition_of_Fp p : SchwartzZippel.Fp p = {x : Z | Z.eqb (x mod p) x = true}.
Proof. reflexivity. Qed.

Lemma definition_of_val p (a : SchwartzZippel.Fp p) : SchwartzZippel.val p a = proj1_sig a.
Proof. reflexivity. Qed.

Lemma definition_of_fp p x : SchwartzZippel.val p (SchwartzZippel.fp p x) = (x mod p)%Z.
Proof. reflexivity. Qed.

Lemma definition_of_fp_add p a b :
  SchwartzZippel.fp_add p a b =
  SchwartzZippel.fp p (SchwartzZippel.val p a + SchwartzZippel.val p b).
Proof. reflexivity. Qed.

Lemma definition_of_fp_mul p a b :
  SchwartzZippel.fp_mul p a b =
  SchwartzZippel.fp p (SchwartzZippel.val p a * SchwartzZippel.val p b).
Proof. reflexivity. Qed.

(** ** Q-RUN elements and single-qubit circuits, over lists (Universality.v) *)

Lemma definition_of_Universality_feature a :
  Universality.feature Universality.One a = 1%R
  /\ Universality.feature Universality.Cos a = cos a
  /\ Universality.feature Universality.Sin a = sin a.
Proof. repeat split; reflexivity. Qed.

Lemma definition_of_Universality_words L :
  Universality.words 0 = [[]]
  /\ Universality.words (S L) =
     flat_map (fun t => map (cons t) (Universality.words L))
       [Universality.One; Universality.Cos; Universality.Sin].
Proof. split; reflexivity. Qed.

Lemma definition_of_Universality_word_value t w a angles :
  Universality.word_value [] angles = 1%R
  /\ Universality.word_value (t :: w) (a :: angles) =
     (Universality.feature t a * Universality.word_value w angles)%R.
Proof. split; reflexivity. Qed.

Lemma definition_of_Universality_lsum l : Universality.lsum l = fold_right Rplus 0%R l.
Proof. reflexivity. Qed.

(** sum over all words w of T w times the product of the features that w names. *)
Lemma definition_of_Universality_multilinear T angles :
  Universality.multilinear T angles =
  Universality.lsum (map (fun w => T w * Universality.word_value w angles)%R
    (Universality.words (length angles))).
Proof. reflexivity. Qed.

Lemma definition_of_Universality_linear c u v angles :
  Universality.linear c u v angles =
  (c + Rsum (length angles) (fun l => u l * cos (nth l angles 0) + v l * sin (nth l angles 0)))%R.
Proof. reflexivity. Qed.

(** The readout of the angles s phi for the scales s. *)
Lemma definition_of_Universality_qrun_element scales readout phi :
  Universality.qrun_element scales readout phi = readout (map (fun s => s * phi)%R scales).
Proof. reflexivity. Qed.

Lemma definition_of_Universality_core_at A B D a i j :
  Universality.core_at (Universality.Core A B D) a i j =
  (A i j + B i j * cos a + D i j * sin a)%R.
Proof. reflexivity. Qed.

Lemma definition_of_Universality_row_times d v M j :
  Universality.row_times d v M j = Rsum d (fun i => v i * M i j)%R.
Proof. reflexivity. Qed.

(** left M_1(alpha_1) ... M_L(alpha_L) right. *)
Lemma definition_of_Universality_matrix_product d l M Ms r a angles :
  Universality.matrix_product d l [] r [] = Rsum d (fun i => l i * r i)%R
  /\ Universality.matrix_product d l (M :: Ms) r (a :: angles) =
     Universality.matrix_product d
       (Universality.row_times d l (Universality.core_at M a)) Ms r angles.
Proof. split; reflexivity. Qed.

(** [[1, 0, 0], [a, cos, -sin], [-b, sin, cos]]. *)
Lemma definition_of_Universality_horner_core a b :
  Universality.horner_core a b = Universality.Core
    (fun i j => match i, j with
      | 0%nat, 0%nat => 1 | 1%nat, 0%nat => a | 2%nat, 0%nat => - b | _, _ => 0 end)%R
    (fun i j => match i, j with
      | 1%nat, 1%nat => 1 | 2%nat, 2%nat => 1 | _, _ => 0 end)%R
    (fun i j => match i, j with
      | 1%nat, 2%nat => -1 | 2%nat, 1%nat => 1 | _, _ => 0 end)%R.
Proof. reflexivity. Qed.

Lemma definition_of_Universality_vec3 x y z :
  Universality.vec3 x y z 0%nat = x /\ Universality.vec3 x y z 1%nat = y
  /\ Universality.vec3 x y z 2%nat = z.
Proof. repeat split; reflexivity. Qed.

(** The amplitudes cos(alpha/2), sin(alpha/2) of RY(alpha)|0>, and their products. *)
Lemma definition_of_Universality_amplitude a :
  Universality.amplitude a false = cos (a / 2) /\ Universality.amplitude a true = sin (a / 2).
Proof. split; reflexivity. Qed.

Lemma definition_of_Universality_product_state a angles i j :
  Universality.product_state [] [] = 1%R
  /\ Universality.product_state (a :: angles) (i :: j) =
     (Universality.amplitude a i * Universality.product_state angles j)%R.
Proof. split; reflexivity. Qed.

Lemma definition_of_Universality_basis n :
  Universality.basis 0 = [[]]
  /\ Universality.basis (S n) =
     flat_map (fun i => map (cons i) (Universality.basis n)) [false; true].
Proof. split; reflexivity. Qed.

(** <psi|O|psi> in the product state psi. *)
Lemma definition_of_Universality_expectation angles O :
  Universality.expectation angles O =
  Universality.lsum (map (fun i => Universality.lsum (map (fun j =>
    Universality.product_state angles i * O i j * Universality.product_state angles j)%R
    (Universality.basis (length angles)))) (Universality.basis (length angles))).
Proof. reflexivity. Qed.

Lemma definition_of_Universality_gate : Universality.gate = (C * C)%type.
Proof. reflexivity. Qed.

(** The matrix [[alpha, - conj beta], [beta, conj alpha]], as the pair (alpha, beta). *)
Lemma definition_of_Universality_unitary W :
  Universality.unitary W = (Cmod (fst W) ^ 2 + Cmod (snd W) ^ 2 = 1)%R.
Proof. reflexivity. Qed.

Lemma definition_of_Universality_apply_gate W v :
  Universality.apply_gate W v =
  (fst W * fst v - Cconj (snd W) * snd v, snd W * fst v + Cconj (fst W) * snd v).
Proof. reflexivity. Qed.

(** RZ(x) = diag(e^(-i x / 2), e^(i x / 2)). *)
Lemma definition_of_Universality_encode x v :
  Universality.encode x v = (cis (- (x / 2)) * fst v, cis (x / 2) * snd v).
Proof. reflexivity. Qed.

(** W RZ(x) W_1 RZ(x) ... RZ(x) W_L |0>. *)
Lemma definition_of_Universality_reupload W V Ws x :
  Universality.reupload W [] x = Universality.apply_gate W (RtoC 1, RtoC 0)
  /\ Universality.reupload W (V :: Ws) x =
     Universality.apply_gate W (Universality.encode x (Universality.reupload V Ws x)).
Proof. split; reflexivity. Qed.

Lemma definition_of_Universality_expectation_Z v :
  Universality.expectation_Z v = (Cmod (fst v) ^ 2 - Cmod (snd v) ^ 2)%R.
Proof. reflexivity. Qed.

(** ** Generated certificates (Certificate.v): a circuit on one wire and a program

    [Q2R (p # q)] is the real number p / q; [N] are the whole numbers from 0. *)

(** What numbers are made of: features, parameters, pi, the root of 2, arccos (x_j ^ p). *)
Lemma definition_of_Polynomial_symbol (P : Polynomial.symbol -> Prop) :
  (forall j, P (Polynomial.Feature j)) -> (forall j, P (Polynomial.Theta j)) ->
  P Polynomial.PiNumber -> P Polynomial.RootTwo -> (forall j p, P (Polynomial.Arccos j p)) ->
  forall s, P s.
Proof. exact (Polynomial.symbol_ind P). Qed.

Lemma definition_of_Certificate_symbol_value x theta :
  (forall j, Certificate.symbol_value x theta (Polynomial.Feature j) = x j)
  /\ (forall j, Certificate.symbol_value x theta (Polynomial.Theta j) = theta j)
  /\ Certificate.symbol_value x theta Polynomial.PiNumber = PI
  /\ Certificate.symbol_value x theta Polynomial.RootTwo = sqrt 2
  /\ (forall j p,
       Certificate.symbol_value x theta (Polynomial.Arccos j p) = acos (x j ^ N.to_nat p)).
Proof. repeat split; reflexivity. Qed.

(** A formula: a sum of rational numbers times products of symbols. *)
Lemma definition_of_Certificate_formula :
  Certificate.formula = list (Q * list Polynomial.symbol).
Proof. reflexivity. Qed.

Lemma definition_of_Certificate_product_value x theta s m :
  Certificate.product_value x theta [] = 1%R
  /\ Certificate.product_value x theta (s :: m) =
     (Certificate.symbol_value x theta s * Certificate.product_value x theta m)%R.
Proof. split; reflexivity. Qed.

Lemma definition_of_Certificate_formula_value x theta q m f :
  Certificate.formula_value x theta [] = 0%R
  /\ Certificate.formula_value x theta ((q, m) :: f) =
     (Q2R q * Certificate.product_value x theta m + Certificate.formula_value x theta f)%R.
Proof. split; reflexivity. Qed.

(** Complex numbers as pairs, states as pairs of amplitudes, matrices as pairs of rows. *)
Lemma definition_of_Certificate_complex : Certificate.complex = (R * R)%type.
Proof. reflexivity. Qed.

Lemma definition_of_Certificate_state :
  Certificate.state = (Certificate.complex * Certificate.complex)%type.
Proof. reflexivity. Qed.

Lemma definition_of_Certificate_matrix :
  Certificate.matrix = (Certificate.state * Certificate.state)%type.
Proof. reflexivity. Qed.

Lemma definition_of_Certificate_cadd a b a' b' :
  Certificate.cadd (a, b) (a', b') = (a + a', b + b')%R.
Proof. reflexivity. Qed.

Lemma definition_of_Certificate_cmul a b a' b' :
  Certificate.cmul (a, b) (a', b') = (a * a' - b * b', a * b' + b * a')%R.
Proof. reflexivity. Qed.

Lemma definition_of_Certificate_conj a b : Certificate.conj (a, b) = (a, - b)%R.
Proof. reflexivity. Qed.

Lemma definition_of_Certificate_real r : Certificate.real r = (r, 0%R).
Proof. reflexivity. Qed.

Lemma definition_of_Certificate_imaginary r : Certificate.imaginary r = (0%R, r).
Proof. reflexivity. Qed.

Lemma definition_of_Certificate_cis t : Certificate.cis t = (cos t, sin t).
Proof. reflexivity. Qed.

Lemma definition_of_Certificate_apply m00 m01 m10 m11 v0 v1 :
  Certificate.apply ((m00, m01), (m10, m11)) (v0, v1) =
  (Certificate.cadd (Certificate.cmul m00 v0) (Certificate.cmul m01 v1),
   Certificate.cadd (Certificate.cmul m10 v0) (Certificate.cmul m11 v1)).
Proof. reflexivity. Qed.

Lemma definition_of_Certificate_pauli (P : Certificate.pauli -> Prop) :
  P Certificate.IdentityOp -> P Certificate.SigmaX -> P Certificate.SigmaY ->
  P Certificate.SigmaZ -> forall p, P p.
Proof. exact (Certificate.pauli_ind P). Qed.

Lemma definition_of_Certificate_pauli_matrix :
  let one := Certificate.real 1 in let none := Certificate.real 0 in
  Certificate.pauli_matrix Certificate.IdentityOp = ((one, none), (none, one))
  /\ Certificate.pauli_matrix Certificate.SigmaX = ((none, one), (one, none))
  /\ Certificate.pauli_matrix Certificate.SigmaY =
     ((none, Certificate.imaginary (-1)), (Certificate.imaginary 1, none))
  /\ Certificate.pauli_matrix Certificate.SigmaZ = ((one, none), (none, Certificate.real (-1))).
Proof. repeat split; reflexivity. Qed.

Lemma definition_of_Certificate_gate (P : Certificate.gate -> Prop) :
  (forall a, P (Certificate.RX a)) -> (forall a, P (Certificate.RY a)) ->
  (forall a, P (Certificate.RZ a)) -> (forall a, P (Certificate.PhaseShift a)) ->
  P Certificate.Hadamard -> P Certificate.PhaseS -> P Certificate.PhaseT ->
  (forall p, P (Certificate.Pauli p)) -> forall g, P g.
Proof. exact (Certificate.gate_ind P). Qed.

(** The textbook's matrices. *)
Lemma definition_of_Certificate_gate_matrix x theta a :
  let real := Certificate.real in let imaginary := Certificate.imaginary in
  let matrix := Certificate.gate_matrix x theta in
  let alpha := Certificate.formula_value x theta a in
  (matrix (Certificate.RX a) =
    ((real (cos (alpha / 2)), imaginary (- sin (alpha / 2))),
     (imaginary (- sin (alpha / 2)), real (cos (alpha / 2))))
  /\ matrix (Certificate.RY a) =
    ((real (cos (alpha / 2)), real (- sin (alpha / 2))),
     (real (sin (alpha / 2)), real (cos (alpha / 2))))
  /\ matrix (Certificate.RZ a) =
    ((Certificate.cis (- (alpha / 2)), real 0), (real 0, Certificate.cis (alpha / 2)))
  /\ matrix (Certificate.PhaseShift a) = ((real 1, real 0), (real 0, Certificate.cis alpha))
  /\ matrix Certificate.Hadamard =
    ((real (1 / sqrt 2), real (1 / sqrt 2)), (real (1 / sqrt 2), real (- (1 / sqrt 2))))
  /\ matrix Certificate.PhaseS = ((real 1, real 0), (real 0, imaginary 1))
  /\ matrix Certificate.PhaseT = ((real 1, real 0), (real 0, Certificate.cis (PI / 4)))
  /\ (forall p, matrix (Certificate.Pauli p) = Certificate.pauli_matrix p))%R.
Proof. repeat split; reflexivity. Qed.

(** |0>, and the state after the gates of a list, the first gate first. *)
Lemma definition_of_Certificate_zero_state :
  Certificate.zero_state = (Certificate.real 1, Certificate.real 0).
Proof. reflexivity. Qed.

Lemma definition_of_Certificate_evolve x theta g gates v :
  Certificate.evolve x theta [] v = v
  /\ Certificate.evolve x theta (g :: gates) v =
     Certificate.evolve x theta gates
       (Certificate.apply (Certificate.gate_matrix x theta g) v).
Proof. split; reflexivity. Qed.

(** The real part of <v|P|v>; sums of multiples of these; the same after a circuit on |0>. *)
Lemma definition_of_Certificate_mean p v0 v1 :
  Certificate.mean p (v0, v1) =
  let w := Certificate.apply (Certificate.pauli_matrix p) (v0, v1) in
  fst (Certificate.cadd (Certificate.cmul (Certificate.conj v0) (fst w))
                        (Certificate.cmul (Certificate.conj v1) (snd w))).
Proof. reflexivity. Qed.

Lemma definition_of_Certificate_mean_sum x theta c p terms v :
  Certificate.mean_sum x theta [] v = 0%R
  /\ Certificate.mean_sum x theta ((c, p) :: terms) v =
     (Certificate.formula_value x theta c * Certificate.mean p v
      + Certificate.mean_sum x theta terms v)%R.
Proof. split; reflexivity. Qed.

Lemma definition_of_Certificate_expectation x theta circuit observable :
  Certificate.expectation x theta circuit observable =
  Certificate.mean_sum x theta observable
    (Certificate.evolve x theta circuit Certificate.zero_state).
Proof. reflexivity. Qed.

(** The classical program: a list of operations on the numbers at positions i and j so far. *)
Lemma definition_of_Certificate_operation (P : Certificate.operation -> Prop) :
  (forall f, P (Certificate.Number f)) -> (forall i, P (Certificate.Cos i)) ->
  (forall i, P (Certificate.Sin i)) -> (forall i, P (Certificate.Sqrt i)) ->
  (forall i, P (Certificate.Inv i)) -> (forall i, P (Certificate.Opp i)) ->
  (forall i j, P (Certificate.Add i j)) -> (forall i j, P (Certificate.Mul i j)) ->
  forall o, P o.
Proof. exact (Certificate.operation_ind P). Qed.

(** The number at a position, counted from 0. *)
Lemma definition_of_Certificate_look values i :
  Certificate.look values i = nth (N.to_nat i) values 0%R.
Proof. reflexivity. Qed.

Lemma definition_of_Certificate_operation_value x theta values f i j :
  let at_ := Certificate.look values in
  let result := Certificate.operation_value x theta values in
  result (Certificate.Number f) = Certificate.formula_value x theta f
  /\ result (Certificate.Cos i) = cos (at_ i)
  /\ result (Certificate.Sin i) = sin (at_ i)
  /\ result (Certificate.Sqrt i) = sqrt (at_ i)
  /\ result (Certificate.Inv i) = (/ at_ i)%R
  /\ result (Certificate.Opp i) = (- at_ i)%R
  /\ result (Certificate.Add i j) = (at_ i + at_ j)%R
  /\ result (Certificate.Mul i j) = (at_ i * at_ j)%R.
Proof. repeat split; reflexivity. Qed.

Lemma definition_of_Certificate_run x theta o program values :
  Certificate.run x theta [] values = values
  /\ Certificate.run x theta (o :: program) values =
     Certificate.run x theta program
       (values ++ [Certificate.operation_value x theta values o]).
Proof. split; reflexivity. Qed.

(** The number that the program computes at a position. *)
Lemma definition_of_Certificate_counterpart x theta program output :
  Certificate.counterpart x theta program output =
  Certificate.look (Certificate.run x theta program []) output.
Proof. reflexivity. Qed.

(** Features whose arccos is a base angle lie between -1 and 1. *)
Lemma definition_of_Certificate_base : Certificate.base = Certificate.formula.
Proof. reflexivity. Qed.

Lemma definition_of_Certificate_inside x f bases :
  Certificate.inside x [] = True
  /\ Certificate.inside x (f :: bases) =
     match f with
     | [(_, [Polynomial.Arccos j _])] => (-1 <= x j <= 1)%R /\ Certificate.inside x bases
     | _ => Certificate.inside x bases
     end.
Proof.
  split; [reflexivity|]. now destruct f as [|[q [|[] [|]]] [|]].
Qed.

(** * 1. Element *)

(** A rotation is the exponential of its generator: R(0) = 1 and R' = - (i/2) P R. *)
Theorem headline_1_rotation (d : nat) (P : mat) (a : R) : involution d P ->
  forall i j, (i < d)%nat -> (j < d)%nat ->
  is_derive (fun t => Re (rotation P t i j)) a
    (Re (- (Ci * RtoC (1 / 2)) * mmul d P (rotation P a) i j))
  /\ is_derive (fun t => Im (rotation P t i j)) a
    (Im (- (Ci * RtoC (1 / 2)) * mmul d P (rotation P a) i j)).
Proof. exact (rotation_derivative d P a). Qed.

Theorem headline_1_rotation_start (P : mat) (i j : nat) : rotation P 0 i j = mid i j.
Proof. exact (rotation_zero P i j). Qed.

Theorem headline_1_amplitudes (s phi : R) :
  veq 2 (apply 2 (rotation pauli_y (2 * (s * phi))) ket0)
    (vec2 (RtoC (cos (s * phi))) (RtoC (sin (s * phi)))).
Proof. exact (element_amplitudes s phi). Qed.

Theorem headline_1_expectations (s phi : R) :
  let v := apply 2 (rotation pauli_y (s * phi)) ket0 in
  expect 2 pauli_z v = RtoC (cos (s * phi))
  /\ expect 2 pauli_x v = RtoC (sin (s * phi))
  /\ expect 2 pauli_y v = RtoC 0.
Proof. exact (element_expectations s phi). Qed.

(** * 2. Fourier form *)

(** Every dimension d, depth L, matrices W_0 ... W_L, generators P_g, observable O, angles. *)
Theorem headline_2_fourier_form (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat) :
  exists c : (nat -> Z) -> C,
    (forall alpha : nat -> R,
      output d W P psi O L alpha =
      Clsum (fun n => c n * cis (Rsum L (fun g => IZR (n g) * alpha g)%R)) (words signs 0%Z L))
    /\ (hermitian d O -> forall n, c (fun g => (- n g)%Z) = Cconj (c n)).
Proof.
  exact (ex_intro _ (fourier_coefficient d W P psi O L)
    (conj (fourier_form d W P psi O L)
      (fun H n => fourier_coefficient_symmetric d W P psi O L n H))).
Qed.

Theorem headline_2_real (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (alpha : nat -> R) : hermitian d O ->
  output d W P psi O L alpha = RtoC (Re (output d W P psi O L alpha)).
Proof. exact (output_real d W P psi O L alpha). Qed.

Theorem headline_2_degree (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat) :
  exists c : Z -> C, forall x : R, output d W P psi O L (fun _ => x) = trig_poly L c x.
Proof. exact (fourier_form_degree d W P psi O L). Qed.

Theorem headline_2_degree_hermitian (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat) :
  hermitian d O ->
  exists c : Z -> C,
    (forall k, c (- k)%Z = Cconj (c k))
    /\ (forall x : R, output d W P psi O L (fun _ => x) = trig_poly L c x)
    /\ (forall x : R, Im (output d W P psi O L (fun _ => x)) = 0%R).
Proof. exact (fourier_form_degree_hermitian d W P psi O L). Qed.

Theorem headline_2_one_qubit (W P : nat -> mat) (O : mat) (L : nat) :
  exists c : Z -> C, forall x : R, output 2 W P ket0 O L (fun _ => x) = trig_poly L c x.
Proof. exact (fourier_form_one_qubit W P O L). Qed.

Theorem headline_2_n_qubits (n : nat) (W P : nat -> mat) (O : mat) (L : nat) :
  hermitian (2 ^ n) O ->
  exists c : Z -> C,
    (forall k, c (- k)%Z = Cconj (c k))
    /\ (forall x : R, output (2 ^ n) W P ket0 O L (fun _ => x) = trig_poly L c x)
    /\ (forall x : R, Im (output (2 ^ n) W P ket0 O L (fun _ => x)) = 0%R).
Proof. exact (fourier_form_n_qubits n W P O L). Qed.

Theorem headline_2_scales (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (s b : nat -> R) :
  exists c : (nat -> Z) -> C,
    (forall x : R,
      output d W P psi O L (fun g => s g * x + b g)%R =
      Clsum (fun n => c n * cis (Rsum L (fun g => IZR (n g) * s g)%R * x)) (words signs 0%Z L))
    /\ (hermitian d O -> forall n, c (fun g => (- n g)%Z) = Cconj (c n)).
Proof. exact (fourier_form_scales d W P psi O L s b). Qed.

Theorem headline_2_features (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L F : nat)
  (a : nat -> nat -> R) (b : nat -> R) :
  exists c : (nat -> Z) -> C,
    (forall x : nat -> R,
      output d W P psi O L (fun g => Rsum F (fun j => a g j * x j) + b g)%R =
      Clsum (fun n => c n * cis (Rsum F (fun j => Rsum L (fun g => IZR (n g) * a g j) * x j)%R))
        (words signs 0%Z L))
    /\ (hermitian d O -> forall n, c (fun g => (- n g)%Z) = Cconj (c n)).
Proof. exact (fourier_form_features d W P psi O L F a b). Qed.

Theorem headline_2_integer_scales (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (z : nat -> Z) (b : nat -> R) :
  is_trig (Nsum L (fun g => Z.abs_nat (z g)))
    (fun x => output d W P psi O L (fun g => IZR (z g) * x + b g)%R).
Proof. exact (fourier_form_integer_scales d W P psi O L z b). Qed.

(** * 3. Multilinearity and the matrix-product readout *)

Theorem headline_3_multilinear (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat) :
  exists T : (nat -> feature) -> C, forall alpha : nat -> R,
    output d W P psi O L alpha =
    Clsum (fun t => T t * RtoC (Rprod L (fun g => value (t g) (alpha g))))
      (words features One L).
Proof.
  exact (ex_intro _ (tensor d W P psi O L) (multilinear_expectation d W P psi O L)).
Qed.

Theorem headline_3_multilinear_real (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat) :
  hermitian d O ->
  exists T : (nat -> feature) -> R, forall alpha : nat -> R,
    output d W P psi O L alpha =
    RtoC (Rlsum (fun t => T t * Rprod L (fun g => value (t g) (alpha g)))%R
            (words features One L)).
Proof. exact (multilinear_expectation_real d W P psi O L). Qed.

Theorem headline_3_affine_in_each_gate (d : nat) (W P : nat -> mat) (psi : vec) (O : mat)
  (L g : nat) (alpha : nat -> R) : hermitian d O -> (g < L)%nat ->
  exists A B D : R, forall a : R,
    output d W P psi O L (update alpha g a) = RtoC (A + B * cos a + D * sin a).
Proof. exact (affine_in_each_gate d W P psi O L g alpha). Qed.

(** n qubits: a chain of real 4^n x 4^n matrices on the Pauli expectation values. *)
Theorem headline_3_matrix_product (n : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (alpha : nat -> R) : hermitian (2 ^ n) O ->
  output (2 ^ n) W P psi O L alpha =
  RtoC (Rsum (4 ^ n) (fun k => pauli_coordinate n O k *
    chain (4 ^ n) (fun l => pauli_transfer n (W l)) (fun g => pauli_core n (P g))
      (pauli_means n psi) L alpha k)%R).
Proof. exact (matrix_product_readout n W P psi O L alpha). Qed.

(** What an encoding gate about P does to an observable Q that commutes, anticommutes with P. *)
Theorem headline_3_commuting (d : nat) (P Q : mat) : hermitian d P -> involution d P ->
  meq d (mmul d P Q) (mmul d Q P) ->
  meq d (part d P Q One) Q /\ meq d (part d P Q Cos) (mscal 0 Q)
  /\ meq d (part d P Q Sin) (mscal 0 Q).
Proof. exact (part_commuting d P Q). Qed.

Theorem headline_3_anticommuting (d : nat) (P Q : mat) : hermitian d P -> involution d P ->
  meq d (mmul d Q P) (mscal (- RtoC 1) (mmul d P Q)) ->
  meq d (part d P Q One) (mscal 0 Q) /\ meq d (part d P Q Cos) Q
  /\ meq d (part d P Q Sin) (mscal Ci (mmul d P Q)).
Proof. exact (part_anticommuting d P Q). Qed.

(** One qubit: a chain of 3 x 3 matrices on the Bloch vector; those of unitaries are rotations. *)
Theorem headline_3_bloch_chain (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (alpha : nat -> R) :
  (forall l, (l <= L)%nat -> unitary 2 (W l)) ->
  (forall g, (g < L)%nat -> hermitian 2 (P g) /\ involution 2 (P g)) ->
  inner 2 psi psi = 1 -> hermitian 2 O ->
  output 2 W P psi O L alpha =
  RtoC (bloch_coordinate O 0 + Rsum 3 (fun k => bloch_coordinate O (S k) *
    chain 3 (fun l => bloch_matrix (W l)) (fun g => bloch_core (P g))
      (bloch_vector psi) L alpha k))%R.
Proof. exact (bloch_chain W P psi O L alpha). Qed.

Theorem headline_3_bloch_orthogonal (V : mat) (i j : nat) :
  unitary 2 V -> (i < 3)%nat -> (j < 3)%nat ->
  Rsum 3 (fun k => bloch_matrix V i k * bloch_matrix V j k)%R = if Nat.eqb i j then 1%R else 0%R.
Proof. exact (bloch_matrix_orthogonal V i j). Qed.

Theorem headline_3_bloch_determinant (V : mat) : unitary 2 V -> det3 (bloch_matrix V) = 1%R.
Proof. exact (bloch_matrix_det V). Qed.

(** * 4. Readout ladder *)

Theorem headline_4_linear (L : nat) (b : R) (u v alpha : nat -> R) :
  expect (2 ^ L)
    (mplus (mscal (RtoC b) mid) (msum L (fun l => product_operator
      (local l (mplus (mscal (RtoC (u l)) pauli_z) (mscal (RtoC (v l)) pauli_x))) L)))
    (product_state (encoded alpha) L) =
  RtoC (b + Rsum L (fun l => u l * cos (alpha l) + v l * sin (alpha l)))%R.
Proof. exact (linear_readout L b u v alpha). Qed.

Theorem headline_4_local_spectrum (L : nat) (W P A : nat -> mat) (chi : nat -> vec)
  (s : nat -> R) :
  (forall l, (l < L)%nat -> unitary 2 (W l) /\ hermitian 2 (P l) /\ involution 2 (P l)
    /\ hermitian 2 (A l) /\ inner 2 (chi l) (chi l) = 1) ->
  exists (b : R) (u v : nat -> R), forall x : R,
    expect (2 ^ L) (msum L (fun l => product_operator (local l (A l)) L))
      (product_state (fun l => apply 2 (W l) (apply 2 (rotation (P l) (s l * x)) (chi l))) L) =
    RtoC (b + Rsum L (fun l => u l * cos (s l * x) + v l * sin (s l * x)))%R.
Proof. exact (local_observables_spectrum L W P A chi s). Qed.

Theorem headline_4_product (L : nat) (u v alpha : nat -> R) :
  expect (2 ^ L)
    (product_operator (fun l => mplus (mscal (RtoC (u l)) pauli_z) (mscal (RtoC (v l)) pauli_x)) L)
    (product_state (encoded alpha) L) =
  RtoC (Rprod L (fun l => u l * cos (alpha l) + v l * sin (alpha l)))%R.
Proof. exact (product_readout L u v alpha). Qed.

Theorem headline_4_parity (L : nat) (s : nat -> R) (x : R) :
  let f := expect (2 ^ L) (product_operator (fun _ => pauli_z) L)
             (product_state (encoded (fun l => s l * x)%R) L) in
  f = RtoC (Rprod L (fun l => cos (s l * x)))
  /\ f = RtoC (/ 2 ^ L * Rlsum (fun e => cos (Rsum L (fun l => IZR (e l) * s l) * x))
                 (words plus_minus 1%Z L))%R.
Proof. exact (parity_readout L s x). Qed.

(** Every real tensor is read by a Hermitian observable, and every observable reads a tensor. *)
Theorem headline_4_dense (L : nat) (T : (nat -> feature) -> R) (alpha : nat -> R) :
  expect (2 ^ L)
    (fun i j => Clsum (fun t => RtoC (T t) * product_operator (fun g => feature_pauli (t g)) L i j)
                  (words features One L))
    (product_state (encoded alpha) L) =
  RtoC (Rlsum (fun t => T t * Rprod L (fun g => value (t g) (alpha g)))%R (words features One L)).
Proof. exact (dense_readout L T alpha). Qed.

Theorem headline_4_dense_hermitian (L : nat) (T : (nat -> feature) -> R) :
  hermitian (2 ^ L)
    (fun i j => Clsum (fun t => RtoC (T t) * product_operator (fun g => feature_pauli (t g)) L i j)
                  (words features One L)).
Proof. exact (dense_observable_hermitian L T). Qed.

Theorem headline_4_dense_converse (L : nat) (O : mat) : hermitian (2 ^ L) O ->
  exists T : (nat -> feature) -> R, forall alpha : nat -> R,
  expect (2 ^ L) O (product_state (encoded alpha) L) =
  RtoC (Rlsum (fun t => T t * Rprod L (fun g => value (t g) (alpha g)))%R (words features One L)).
Proof. exact (dense_readout_of_observable L O). Qed.

Local Open Scope R_scope.

(** * 5. Redundancy *)

Theorem headline_5_redundancy (L F : nat) (A : nat -> nat -> R) (b h : nat -> R) (i : nat) :
  affine (L * F) A b (copies F h) i = affine F (summed L F A) b h i.
Proof. exact (redundancy L F A b h i). Qed.

Theorem headline_5_converse (L F : nat) (A : nat -> nat -> R) (b : nat -> R) :
  exists A' : nat -> nat -> R, forall (h : nat -> R) (i : nat),
    affine (S L * F) A' b (copies F h) i = affine F A b h i.
Proof. exact (redundancy_converse L F A b). Qed.

Theorem headline_5_equal_scales (L : nat) (s phi : R) (A : nat -> nat -> R) (b : nat -> R)
  (i : nat) :
  affine (L * 2) A b (reuploads (fun _ => s) phi) i =
  b i + Rsum L (fun l => A i (l * 2)%nat) * cos (s * phi)
  + Rsum L (fun l => A i (l * 2 + 1)%nat) * sin (s * phi).
Proof. exact (equal_scales_redundant L s phi A b i). Qed.

(** Whatever follows the first affine layer of m rows, such as the rest of an MLP: g. *)
Theorem headline_5_network (X : Type) (g : (nat -> R) -> X) (m : nat)
  (L : nat) (s phi : R) (A : nat -> nat -> R) (b : nat -> R) :
  (forall u u', (forall i, (i < m)%nat -> u i = u' i) -> g u = g u') ->
  g (affine (L * 2) A b (reuploads (fun _ => s) phi)) =
  g (affine (1 * 2) (summed L 2 A) b (reuploads (fun _ => s) phi)).
Proof. exact (equal_scales_network g m L s phi A b). Qed.

Theorem headline_5_different_scales :
  ~ exists a b c : R, forall x, cos x + cos (2 * x) = a + b * cos x + c * sin x.
Proof. exact different_scales_enrich. Qed.

Theorem headline_5_products :
  ~ exists a b c : R, forall x, cos x * cos x = a + b * cos x + c * sin x.
Proof. exact products_enrich. Qed.

(** * 6. Gradients *)

Theorem headline_6_parameter_shift (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L g : nat)
  (alpha : nat -> R) (a : R) : hermitian d O -> (g < L)%nat ->
  let f := fun t : R => Re (output d W P psi O L (update alpha g t)) in
  is_derive f a ((f (a + PI / 2) - f (a - PI / 2)) / 2).
Proof. exact (parameter_shift_gate d W P psi O L g alpha a). Qed.

Theorem headline_6_shared (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (alpha : nat -> R -> R) (alpha' : nat -> R) (x : R) : hermitian d O ->
  (forall g, (g < L)%nat -> is_derive (alpha g) x (alpha' g)) ->
  let f := fun beta : nat -> R => Re (output d W P psi O L beta) in
  is_derive (fun y => f (fun g => alpha g y)) x
    (Rsum L (fun g => alpha' g *
      ((f (update (fun h => alpha h x) g (alpha g x + PI / 2))
        - f (update (fun h => alpha h x) g (alpha g x - PI / 2))) / 2))).
Proof. exact (parameter_shift_shared d W P psi O L alpha alpha' x). Qed.

Theorem headline_6_fourier_derivative (A : Type) (c : A -> C) (w : A -> R) (l : list A) (x : R) :
  is_derive_complex (fun t => Clsum (fun n => c n * cis (w n * t))%C l) x
    (Clsum (fun n => Ci * RtoC (w n) * c n * cis (w n * x))%C l).
Proof. exact (fourier_derivative c w l x). Qed.

Theorem headline_6_trig_poly_derivative (K : nat) (c : Z -> C) (x : R) :
  is_derive_complex (trig_poly K c) x (trig_poly K (fun k => Ci * RtoC (IZR k) * c k)%C x).
Proof. exact (trig_poly_derivative K c x). Qed.

Theorem headline_6_output_derivative (d : nat) (W P : nat -> mat) (psi : vec) (O : mat) (L : nat)
  (s b : nat -> R) :
  exists c : (nat -> Z) -> C, forall x : R,
    let w := fun n : nat -> Z => Rsum L (fun g => IZR (n g) * s g) in
    output d W P psi O L (fun g => s g * x + b g) =
      Clsum (fun n => c n * cis (w n * x))%C (words signs 0%Z L)
    /\ is_derive_complex (fun t => output d W P psi O L (fun g => s g * t + b g)) x
         (Clsum (fun n => Ci * RtoC (w n) * c n * cis (w n * x))%C (words signs 0%Z L)).
Proof. exact (output_derivative d W P psi O L s b). Qed.

(** * 7. Certificate soundness *)

Theorem headline_7_unisolvence (K : nat) (c : Z -> C) (x : nat -> R) :
  (forall i j, (i < j <= 2 * K)%nat -> forall m : Z, x j <> x i + 2 * IZR m * PI) ->
  (forall j, (j <= 2 * K)%nat -> trig_poly K c (x j) = RtoC 0) ->
  forall k, (- Z.of_nat K <= k <= Z.of_nat K)%Z -> c k = RtoC 0.
Proof. exact (unisolvence K c x). Qed.

Theorem headline_7_real_iff_symmetric (K : nat) (c : Z -> C) :
  (forall x, Im (trig_poly K c x) = 0) <->
  (forall k, (- Z.of_nat K <= k <= Z.of_nat K)%Z -> c (- k)%Z = Cconj (c k)).
Proof. exact (real_iff_symmetric K c). Qed.

(** The discrete Fourier transform of N > 2 K equispaced values. *)
Theorem headline_7_sampling (K N : nat) (c : Z -> C) (t : R) (k : Z) :
  (2 * K < N)%nat -> (- Z.of_nat K <= k <= Z.of_nat K)%Z ->
  c k = (Csum N (fun j => trig_poly K c (t + 2 * PI * INR j / INR N)
                          * cis (- (IZR k * (t + 2 * PI * INR j / INR N)))) / RtoC (INR N))%C.
Proof. exact (sampling K N c t k). Qed.

Theorem headline_7_ehlich_zeller (K N : nat) (p : R -> R) (t M : R) :
  is_rtrig K p -> (2 * K < N)%nat ->
  (forall j, (j < N)%nat -> Rabs (p (t + 2 * PI * INR j / INR N)) <= M) ->
  forall x, Rabs (p x) <= M / cos (PI * INR K / INR N).
Proof. exact (ehlich_zeller K N p t M). Qed.

(** Several features: whole frequencies, a tensor grid. *)
Theorem headline_7_ehlich_zeller_features (m n : nat) (K N : nat -> nat) (k : nat -> nat -> Z)
    (a b : nat -> R) (t : nat -> R) (M : R) :
  let f := wave_sum_features m n (fun l i => IZR (k l i)) a b in
  (forall l i, (l < n)%nat -> (i < m)%nat -> (Z.abs (k l i) <= Z.of_nat (K i))%Z) ->
  (forall i, (i < m)%nat -> (2 * K i < N i)%nat) ->
  (forall j : nat -> nat, (forall i, (i < m)%nat -> (j i < N i)%nat) ->
     Rabs (f (fun i => t i + 2 * PI * INR (j i) / INR (N i))) <= M) ->
  forall x, Rabs (f x) <= M / grid_factor K N m.
Proof. exact (ehlich_zeller_features m n K N k a b t M). Qed.

(** Any real frequencies of at most W. *)
Theorem headline_7_bernstein (n : nat) (w a b : nat -> R) (W M : R) :
  0 <= W -> (forall l, (l < n)%nat -> Rabs (w l) <= W) ->
  (forall x, Rabs (wave_sum n w a b x) <= M) ->
  forall x d, is_derive (wave_sum n w a b) x d -> Rabs d <= W * M.
Proof. exact (bernstein n w a b W M). Qed.

Theorem headline_7_bernstein_trig (K : nat) (p : R -> R) (M : R) :
  is_rtrig K p -> (forall x, Rabs (p x) <= M) ->
  forall x d, is_derive p x d -> Rabs d <= INR K * M.
Proof. exact (bernstein_trig K p M). Qed.

Theorem headline_7_bernstein_gradient (m n : nat) (w : nat -> nat -> R) (a b : nat -> R)
  (j : nat) (W M : R) :
  (j < m)%nat -> 0 <= W -> (forall l, (l < n)%nat -> Rabs (w l j) <= W) ->
  (forall x, Rabs (wave_sum_features m n w a b x) <= M) ->
  forall x s d, is_derive (fun s => wave_sum_features m n w a b (upd x j s)) s d ->
  Rabs d <= W * M.
Proof. exact (bernstein_gradient m n w a b j W M). Qed.

Theorem headline_7_coefficient_bound (K N : nat) (c : Z -> C) (t M : R) :
  (2 * K < N)%nat ->
  (forall j, (j < N)%nat -> Cmod (trig_poly K c (t + 2 * PI * INR j / INR N)) <= M) ->
  forall k, (- Z.of_nat K <= k <= Z.of_nat K)%Z -> Cmod (c k) <= M.
Proof. exact (coefficient_bound K N c t M). Qed.

(** Schwartz and Zippel over any commutative ring without zero divisors: |T| times the number of
    zeros among the |T|^n points of T^n is at most the degree times |T|^n. *)
Theorem headline_7_schwartz_zippel (A : Type) (zero one : A) (add mul sub : A -> A -> A)
  (opp : A -> A) :
  ring_theory zero one add mul sub opp eq ->
  (forall x y, mul x y = zero -> x = zero \/ y = zero) ->
  forall (A_dec : forall x y : A, {x = y} + {x <> y})
    (n d : nat) (p : SchwartzZippel.poly A n) (T : list A),
  NoDup T -> SchwartzZippel.degree_le A zero n d p -> ~ SchwartzZippel.is_zero A zero n p ->
  (length T * length (SchwartzZippel.zeros A zero add mul A_dec n p T) <= d * length T ^ n)%nat.
Proof. exact (SchwartzZippel.schwartz_zippel A zero one add mul sub opp). Qed.

(** In the integers modulo a prime: a random point of T^n is a zero with probability <= d / |T|. *)
Theorem headline_7_schwartz_zippel_prime_field (p : Z) : prime p ->
  forall (n d : nat) (q : SchwartzZippel.poly (SchwartzZippel.Fp p) n)
    (T : list (SchwartzZippel.Fp p)),
  let zero := SchwartzZippel.fp p 0 in
  NoDup T -> T <> [] ->
  SchwartzZippel.degree_le (SchwartzZippel.Fp p) zero n d q ->
  ~ SchwartzZippel.is_zero (SchwartzZippel.Fp p) zero n q ->
  INR (length (SchwartzZippel.zeros (SchwartzZippel.Fp p) zero (SchwartzZippel.fp_add p)
                 (SchwartzZippel.fp_mul p) (SchwartzZippel.fp_dec p) n q T))
  / INR (length T ^ n) <= INR d / INR (length T).
Proof. exact (SchwartzZippel.schwartz_zippel_prime_field p). Qed.

(** * 8. Universality of the ladder *)

(** The scales 1, ..., L and a linear readout. *)
Theorem headline_8_linear (L : nat) (a b : nat -> R) (x : R) :
  Universality.qrun_element (map INR (seq 1 L))
    (Universality.linear (a 0%nat) (fun l => a (S l)) (fun l => b (S l))) x
  = rtrig L a b x.
Proof. exact (Universality.universality_linear L a b x). Qed.

(** L equal scales and a matrix product of bond 3. *)
Theorem headline_8_matrix_product (L : nat) (a b : nat -> R) (s x : R) :
  Universality.qrun_element (repeat s L)
    (Universality.matrix_product 3 (Universality.vec3 0 1 0)
       (map (fun l => Universality.horner_core (a l) (b l)) (seq 0 L))
       (Universality.vec3 1 (a L) (- b L))) x
  = rtrig L a b (s * x).
Proof. exact (Universality.universality_matrix_product L a b s x). Qed.

(** L equal scales and a multilinear readout: exactly these functions. *)
Theorem headline_8_multilinear (L : nat) (f : R -> R) :
  is_rtrig L f <->
  exists T, forall x,
    f x = Universality.qrun_element (repeat 1 L) (Universality.multilinear T) x.
Proof. exact (Universality.universality_multilinear L f). Qed.

(** As a circuit: an observable of L qubits, each in the state RY(x)|0>. *)
Theorem headline_8_circuit (L : nat) (f : R -> R) : is_rtrig L f ->
  exists O : list bool -> list bool -> R,
    (forall i j, O i j = O j i) /\ forall x, Universality.expectation (repeat x L) O = f x.
Proof. exact (Universality.universality_circuit L f). Qed.

(** As a circuit of one qubit with L encodings: exactly those that are bounded by 1. *)
Theorem headline_8_single_qubit (L : nat) (p : R -> R) :
  (is_rtrig L p /\ (forall x, Rabs (p x) <= 1)) <->
  exists W Ws, Universality.unitary W /\ List.Forall Universality.unitary Ws /\ length Ws = L /\
    forall x, Universality.expectation_Z (Universality.reupload W Ws x) = p x.
Proof. exact (Universality.single_qubit_universality L p). Qed.

(** * 9. Generated certificates *)

(** What a generated certificate rests on: where [check], a program that Coq runs, answers true,
    the classical program computes the circuit's expectation value for all real features and
    parameters. What [check] does with its hints, the steps, need not be known. *)
Theorem headline_9_certificate (x theta : N -> R) (bases : list Certificate.base)
  (program : list Certificate.operation) (output : N) (circuit : list Certificate.gate)
  (observable : list (Certificate.formula * Certificate.pauli)) (steps : list Certificate.step) :
  Certificate.inside x bases ->
  Certificate.check bases program circuit observable output steps = true ->
  Certificate.counterpart x theta program output =
  Certificate.expectation x theta circuit observable.
Proof.
  exact (Certificate.certificate_sound x theta bases program output circuit observable steps).
Qed.

(** It accepts cos x_0 for <Z> after RX(x_0), and refuses cos (x_0 / 2); X turns |0> to <Z> = -1. *)
Theorem headline_9_accepts (x theta : N -> R) :
  Certificate.counterpart x theta
    [Certificate.Number [((1 # 1)%Q, [Polynomial.Feature 0])]; Certificate.Cos 0] 1 =
  Certificate.expectation x theta
    [Certificate.RX [((1 # 1)%Q, [Polynomial.Feature 0])]] [([((1 # 1)%Q, [])], Certificate.SigmaZ)].
Proof. exact (Certificate.rx_leaves_cosine x theta). Qed.

Theorem headline_9_refuses :
  Certificate.check [[((1 # 2)%Q, [Polynomial.Feature 0])]]
    [Certificate.Number [((1 # 2)%Q, [Polynomial.Feature 0])]; Certificate.Cos 0]
    [Certificate.RX [((1 # 1)%Q, [Polynomial.Feature 0])]] [([((1 # 1)%Q, [])], Certificate.SigmaZ)] 1
    [Certificate.Gate; Certificate.Compute 0; Certificate.Compute 1] = false.
Proof. exact Certificate.half_angle_is_refused. Qed.

Theorem headline_9_flips (x theta : N -> R) :
  Certificate.expectation x theta [Certificate.Pauli Certificate.SigmaX]
    [([((1 # 1)%Q, [])], Certificate.SigmaZ)] = (-1)%R.
Proof. exact (Certificate.x_flips x theta). Qed.

(** * What each theorem assumes *)

Print Assumptions headline_1_rotation.
Print Assumptions headline_1_rotation_start.
Print Assumptions headline_1_amplitudes.
Print Assumptions headline_1_expectations.
Print Assumptions headline_2_fourier_form.
Print Assumptions headline_2_real.
Print Assumptions headline_2_degree.
Print Assumptions headline_2_degree_hermitian.
Print Assumptions headline_2_one_qubit.
Print Assumptions headline_2_n_qubits.
Print Assumptions headline_2_scales.
Print Assumptions headline_2_features.
Print Assumptions headline_2_integer_scales.
Print Assumptions headline_3_multilinear.
Print Assumptions headline_3_multilinear_real.
Print Assumptions headline_3_affine_in_each_gate.
Print Assumptions headline_3_matrix_product.
Print Assumptions headline_3_commuting.
Print Assumptions headline_3_anticommuting.
Print Assumptions headline_3_bloch_chain.
Print Assumptions headline_3_bloch_orthogonal.
Print Assumptions headline_3_bloch_determinant.
Print Assumptions headline_4_linear.
Print Assumptions headline_4_local_spectrum.
Print Assumptions headline_4_product.
Print Assumptions headline_4_parity.
Print Assumptions headline_4_dense.
Print Assumptions headline_4_dense_hermitian.
Print Assumptions headline_4_dense_converse.
Print Assumptions headline_5_redundancy.
Print Assumptions headline_5_converse.
Print Assumptions headline_5_equal_scales.
Print Assumptions headline_5_network.
Print Assumptions headline_5_different_scales.
Print Assumptions headline_5_products.
Print Assumptions headline_6_parameter_shift.
Print Assumptions headline_6_shared.
Print Assumptions headline_6_fourier_derivative.
Print Assumptions headline_6_trig_poly_derivative.
Print Assumptions headline_6_output_derivative.
Print Assumptions headline_7_unisolvence.
Print Assumptions headline_7_real_iff_symmetric.
Print Assumptions headline_7_sampling.
Print Assumptions headline_7_ehlich_zeller.
Print Assumptions headline_7_ehlich_zeller_features.
Print Assumptions headline_7_bernstein.
Print Assumptions headline_7_bernstein_trig.
Print Assumptions headline_7_bernstein_gradient.
Print Assumptions headline_7_coefficient_bound.
Print Assumptions headline_7_schwartz_zippel.
Print Assumptions headline_7_schwartz_zippel_prime_field.
Print Assumptions headline_8_linear.
Print Assumptions headline_8_matrix_product.
Print Assumptions headline_8_multilinear.
Print Assumptions headline_8_circuit.
Print Assumptions headline_8_single_qubit.
Print Assumptions headline_9_certificate.
Print Assumptions headline_9_accepts.
Print Assumptions headline_9_refuses.
Print Assumptions headline_9_flips.
